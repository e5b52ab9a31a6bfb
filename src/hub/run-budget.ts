import { HublineageError } from '../types/errors.ts';
import type { HubClock } from './clock.ts';
import type { HubBudget } from './contract.ts';
import { deadlineReached } from './rate-limiter.ts';

export interface RunBudget {
  /**
   * Before a request goes out. `expectedBytes`: what its answer will bring, where that is known; held back from others until the
   * function returned is called at the request's end.
   */
  spend(expectedBytes: number): () => void;
  receive(bytes: number): void;
}

/** Holds the limits of one run. A limit is never passed by starting something; only answers of untold length may end above maxBytes. */
export function createRunBudget(budget: HubBudget | undefined, clock: HubClock): RunBudget {
  let requests = 0;
  let bytes = 0;
  let reserved = 0;
  return {
    spend: (expectedBytes) => {
      if (budget === undefined) return () => {};
      const { maxRequests, maxBytes, deadlineAt } = budget;
      if (deadlineAt !== null && clock.now() >= deadlineAt) throw deadlineReached();
      if (maxRequests !== null && requests >= maxRequests) {
        throw new HublineageError('QuotaReached', `this run's ${maxRequests} requests are used up`, {
          hint: 'run the same command again to go on, or raise run.maxRequests',
        });
      }
      if (maxBytes !== null && (bytes >= maxBytes || bytes + reserved + expectedBytes > maxBytes)) {
        throw new HublineageError('LimitReached', `this run's ${maxBytes} bytes are used up`, {
          hint: 'run the same command again to go on, or raise run.maxBytes',
        });
      }
      requests++;
      reserved += expectedBytes;
      return () => {
        reserved -= expectedBytes;
      };
    },
    receive: (received) => {
      bytes += received;
    },
  };
}
