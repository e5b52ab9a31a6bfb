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

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  UsageInvalid: EXIT.usage,
  SqlRefused: EXIT.usage,
  ModelUnknown: EXIT.unknownModel,
  RepoGone: EXIT.unknownModel,
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
