import type { Relation } from './lineage.ts';

/** Where a declaration was found. */
export type ClaimSource =
  | 'card'
  | 'tags'
  | 'hub'
  | 'adapter_config'
  | 'config'
  | 'gguf'
  | 'kohya'
  | 'mergekit'
  | 'prose';

/** One parent somebody declared, normalised, with what was typed. */
export interface Claim {
  source: ClaimSource;
  /** exactly as typed, capped at 500 characters */
  raw: string;
  /** `owner/name` where one can be read out of raw (URL, spaces, case kept), else null (local path, number, ...) */
  normalized: string | null;
  /** relation that was declared, or null when none was */
  relation: Relation | null;
  /** `wholeFile`: a sha256 of the base file instead of a name */
  sha256: string | null;
  /** a hint only (prose, config `_name_or_path` of a full model): shown, never the ground for a verdict against anybody on its own */
  hint: boolean;
}

/** A claim held against the repos the index knows. */
export interface ResolvedClaim extends Claim {
  /** repo it names today (case folded, renames followed), or null */
  resolvedRepo: string | null;
}
