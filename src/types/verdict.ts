import type { Relation } from './lineage.ts';

export const VERDICTS = [
  'confirmed',
  'consistent',
  'ancestor',
  'relative',
  'contradicted',
  'relation_mismatch',
  'undeclared',
  'unresolved',
  'unknown',
  'original',
] as const;
export type VerdictKind = (typeof VERDICTS)[number];

export interface Verdict {
  repo: string;
  verdict: VerdictKind;
  declared: string[];
  relationDeclared: Relation | null;
  inferred: string[];
  relationInferred: Relation | null;
  /** probability that the verdict's statement is right */
  probability: number | null;
  /** a sentence a person can read; neutral, names its evidence */
  reason: string;
}

export const MODEL_STATUSES = [
  'fingerprinted',
  'adapter',
  'gated',
  'no_weights',
  'unsupported',
  'failed',
  'gone',
  'pending',
] as const;
export type ModelStatus = (typeof MODEL_STATUSES)[number];

/** Were the model's weights read? */
export function isRead(status: ModelStatus): boolean {
  return status === 'fingerprinted' || status === 'adapter';
}
