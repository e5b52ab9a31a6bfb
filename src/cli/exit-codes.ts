import type { ErrorCode } from '../types/errors.ts';

/** What the process ends with; scripts and schedulers rely on these. */
export const EXIT = {
  done: 0,
  unexpected: 1,
  findings: 2,
  someFailed: 3,
  usage: 64,
  unknownModel: 66,
  stoppedEarly: 75,
  configuration: 78,
  interrupted: 130,
} as const;

/** For docs; one line a code. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'Done.',
  unexpected: 'An error nobody foresaw, or one that no other code stands for.',
  findings: 'Findings at or above `--fail-on`; only where it was asked for.',
  someFailed:
    'Finished, and some repos could not be read; they are listed. From `health`: last night was not fine.',
  usage: 'The command line asks for something there is not.',
  unknownModel: 'No such model, or no index yet.',
  stoppedEarly:
    'Stopped early (quota, limit, deadline, Hub out of reach, lock held). What was done is kept; run it again to go on.',
  configuration: 'Configuration: a wrong key or value, a refused token, or a Node.js that is too old.',
  interrupted: 'Interrupted by Ctrl-C or SIGTERM. What was done is kept.',
};

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  UsageInvalid: EXIT.usage,
  SqlRefused: EXIT.usage,
  ModelUnknown: EXIT.unknownModel,
  RepoGone: EXIT.unknownModel,
  // identify, compare and audit were pointed at something that is no model
  NoWeights: EXIT.unknownModel,
  ConfigInvalid: EXIT.configuration,
  LockHeld: EXIT.stoppedEarly,
  QuotaReached: EXIT.stoppedEarly,
  LimitReached: EXIT.stoppedEarly,
  DeadlineReached: EXIT.stoppedEarly,
  HubUnreachable: EXIT.stoppedEarly,
  HubThrottled: EXIT.stoppedEarly,
  HubAuth: EXIT.configuration,
  Interrupted: EXIT.interrupted,
};

export function exitCodeOf(code: ErrorCode): number {
  return BY_CODE[code] ?? EXIT.unexpected;
}
