import { EXIT } from './exit-codes.ts';
import type { Io } from './io.ts';

/** SIGINT and SIGTERM end a run in an orderly way; a second one ends the process at once. */
export function listenForInterrupts(io: Io): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    io.err('\nstopping after what is in flight; once more stops at once\n');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    stop() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
