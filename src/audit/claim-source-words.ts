import type { ClaimSource } from '../types/claims.ts';

/** What to call a place where something is declared, inside a sentence. */
export const CLAIM_SOURCE_WORDS: Readonly<Record<ClaimSource, string>> = {
  card: 'the card',
  tags: 'the tags',
  hub: "the Hub's base model list",
  adapter_config: 'adapter_config.json',
  config: 'config.json',
  gguf: 'the GGUF metadata',
  kohya: 'the training metadata',
  mergekit: 'the merge configuration',
  prose: 'the text of the card',
};
