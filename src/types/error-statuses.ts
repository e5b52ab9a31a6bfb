import type { ErrorCode } from './errors.ts';
import type { ModelStatus } from './verdict.ts';

/** Errors that say what a repo is, rather than that something went wrong while looking. */
export const STATUS_OF_ERROR: Readonly<Partial<Record<ErrorCode, ModelStatus>>> = {
  RepoGated: 'gated',
  NoWeights: 'no_weights',
  ContainerUnsupported: 'unsupported',
  ArchitectureUnsupported: 'unsupported',
  EncodingUnsupported: 'unsupported',
};
