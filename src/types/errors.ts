/**
 * Every error that can reach a user or a `failures` row. The code is what scripts match on; the table says what a failure costs:
 * `attempts` is how many tries a repo gets before it is left alone (0 = permanent, do not retry until its sha changes),
 * `free` means the failure costs no attempt at all (the Hub asked us to wait).
 */
export const ERROR_CODES = {
  // network and Hub
  HubUnreachable: { attempts: 5, free: true },
  CdnUnreachable: { attempts: 5, free: false },
  HubThrottled: { attempts: 5, free: true },
  HubOverloaded: { attempts: 5, free: false },
  HubTimeout: { attempts: 5, free: false },
  HubBadAnswer: { attempts: 3, free: false },
  HubAuth: { attempts: 1, free: false },
  RepoGone: { attempts: 1, free: false },
  RepoGated: { attempts: 1, free: false },
  RepoDisabled: { attempts: 1, free: false },
  RevisionGone: { attempts: 2, free: false },
  FileMissing: { attempts: 2, free: false },
  RangeIgnored: { attempts: 3, free: false },
  RangeMismatch: { attempts: 3, free: false },
  BodyTruncated: { attempts: 5, free: false },
  SignatureExpired: { attempts: 3, free: false },
  RedirectRefused: { attempts: 0, free: false },
  BodyTooLarge: { attempts: 0, free: false },
  // weights
  HeaderInvalid: { attempts: 0, free: false },
  HeaderTooLarge: { attempts: 0, free: false },
  HeaderTruncated: { attempts: 0, free: false },
  OffsetInvalid: { attempts: 0, free: false },
  ShapeInvalid: { attempts: 0, free: false },
  DtypeUnknown: { attempts: 0, free: false },
  IndexInvalid: { attempts: 0, free: false },
  ShardMissing: { attempts: 1, free: false },
  PickleRefused: { attempts: 0, free: false },
  ContainerUnsupported: { attempts: 0, free: false },
  ArchitectureUnsupported: { attempts: 0, free: false },
  EncodingUnsupported: { attempts: 0, free: false },
  NoWeights: { attempts: 0, free: false },
  // run
  QuotaReached: { attempts: 5, free: true },
  DeadlineReached: { attempts: 5, free: true },
  LimitReached: { attempts: 5, free: true },
  LockHeld: { attempts: 0, free: true },
  Interrupted: { attempts: 5, free: true },
  // people
  UsageInvalid: { attempts: 0, free: false },
  ConfigInvalid: { attempts: 0, free: false },
  ModelUnknown: { attempts: 0, free: false },
  SqlRefused: { attempts: 0, free: false },
  SqlTimeout: { attempts: 0, free: false },
  DatabaseInvalid: { attempts: 0, free: false },
  CardInvalid: { attempts: 0, free: false },
  Unexpected: { attempts: 2, free: false },
} as const satisfies Record<string, { attempts: number; free: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error with the three things a reader needs: what happened (message), where, and what to do next. */
export class HublineageError extends Error {
  override readonly name = 'HublineageError';
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    details: { where?: string | undefined; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
  }
}

export function isHublineageError(error: unknown, code?: ErrorCode): error is HublineageError {
  return error instanceof HublineageError && (code === undefined || error.code === code);
}

/** The error as a coded one; anything unforeseen becomes `Unexpected` with its cause kept. */
export function toHublineageError(error: unknown, where?: string): HublineageError {
  if (error instanceof HublineageError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HublineageError('Unexpected', message, { where, cause: error });
}
