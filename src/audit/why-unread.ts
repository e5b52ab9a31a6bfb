import type { ModelStatus } from '../types/verdict.ts';

/** Why a model could not be looked at, as the end of a sentence; what is neither is simply not read yet. */
export const WHY_UNREAD: Readonly<Partial<Record<ModelStatus, string>>> = {
  gated: 'it is gated and its weights were not read',
  no_weights: 'it holds no weights',
  unsupported: 'its format is not read',
  failed: 'reading it failed',
  gone: 'it is gone from the Hub',
  pending: 'it has not been fingerprinted yet',
};
