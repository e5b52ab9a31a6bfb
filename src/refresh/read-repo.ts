import { isHublineageError } from '../types/errors.ts';
import type { HubRepo } from '../types/hub.ts';
import type { RunContext } from './context.ts';

/** The repo as the Hub tells it today; null when it is gone, private, disabled, or its name cannot be one. */
export async function readRepo(context: Pick<RunContext, 'hub'>, name: string): Promise<HubRepo | null> {
  try {
    return (await context.hub.modelInfo(name)).repo;
  } catch (error) {
    for (const code of ['RepoGone', 'RepoDisabled', 'ModelUnknown'] as const)
      if (isHublineageError(error, code)) return null;
    throw error;
  }
}
