import type { Claim } from '../types/claims.ts';
import type { HubRepo } from '../types/hub.ts';

/** Everything a repo says about itself; what was not fetched is null or left out. */
export interface ClaimInput {
  repo: HubRepo;
  /** README.md as text: read for mergekit blocks and prose, and for front matter when the Hub's `cardData` is missing */
  readme?: string | null;
  /** adapter_config.json, parsed */
  adapterConfig?: unknown;
  /** config.json, parsed */
  configJson?: unknown;
  /** string metadata of safetensors, GGUF or kohya headers */
  metadata?: Readonly<Record<string, string>>;
}

export interface ExtractedClaims {
  /** in order of authority: card, tags, hub, adapter_config, gguf, kohya, mergekit, config, prose */
  claims: Claim[];
  /** plain sentences: lists cut short, broken YAML, files that look like another relation than the one typed */
  notes: string[];
}

/** What the index knows about names; all answers come from memory, so a night's claims resolve in one pass. */
export interface ClaimIndex {
  /** today's name of the repo meant (case folded, renames followed), or null */
  find(repo: string): string | null;
  /** repos holding a file with this sha256 */
  findBySha256(sha256: string): string[];
  /** the model a quantised repack (`unsloth/...-bnb-4bit`) was made from, when known, else null */
  quantSource(repo: string): string | null;
}

export interface FrontMatter {
  /** the YAML mapping between the `---` lines; null when there is none or it cannot be read */
  data: Record<string, unknown> | null;
  /** why data is null though front matter is there; null otherwise */
  error: string | null;
  /** 1-based line of each top-level key in the file, for messages that point at it */
  lines: Record<string, number>;
}
