import type { Outcome, Relation } from './lineage.ts';

/** What each relation says of a child; the first four are the Hub's own words. */
export const RELATION_MEANINGS: Readonly<Record<Relation, string>> = {
  finetune: 'trained on from the parent: every or some weights moved',
  adapter: 'low-rank factors (LoRA and the like) trained on top of the parent',
  merge: 'weighted from several parents; one edge a parent, with its weight',
  quantized: 'the parent rounded to a coarser block format (GGUF, bitsandbytes, fp8, ...)',
  duplicate: 'the same values, in whatever container',
  cast: 'the same values in another number format',
  upscaled: 'layers of the parent repeated, or stacked from several',
  pruned: 'layers of the parent dropped',
  transformed: 'the same function with its units in another order or scale',
};

export const OUTCOME_MEANINGS: Readonly<Record<Outcome, string>> = {
  supports: 'speaks for the edge',
  contradicts: 'speaks against the edge',
  neutral: 'looked, and found nothing that weighs',
  not_available: 'could not look: something it needs is missing. Never a no',
  not_applicable: 'the question makes no sense for this pair',
  error: 'failed while looking',
};
