import type { Edge, Relation } from '../types/lineage.ts';

/** Inferred relations that are read off bits, so that they can stand against a typed word; the others shade into one another. */
const EXACT: readonly Relation[] = ['duplicate', 'cast', 'quantized'];

/**
 * Typed relations that agree with each exact one. A repo of packed files is called `quantized` whether its values were rounded, cast
 * (an F16 GGUF) or copied from another packed repo; a copy may be called a cast and the other way round by whoever kept both formats.
 */
const AGREES: Partial<Record<Relation, readonly Relation[]>> = {
  duplicate: ['duplicate', 'cast', 'quantized'],
  cast: ['cast', 'duplicate', 'quantized'],
  quantized: ['quantized'],
};

/**
 * Whether a relation somebody typed is excluded by the bits. Only a typed `base_model_relation` counts: the Hub shows `finetune`
 * wherever a base is declared without one, and a default is nobody's statement.
 */
export function contradictsRelation(typed: Relation | null, parents: readonly Edge[]): boolean {
  if (typed === null || parents.length !== 1) return false;
  const relation = parents[0]?.relation;
  if (relation === undefined || !EXACT.includes(relation)) return false;
  return !(AGREES[relation] ?? []).includes(typed);
}
