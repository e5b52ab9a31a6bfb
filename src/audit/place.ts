import type { Edge, Relatedness } from '../types/lineage.ts';
import { chanceIfRelated, chanceIfUnrelated } from './chance.ts';
import type { AuditInput, AuditOptions, DeclaredFacts } from './types.ts';
import { WHY_UNREAD } from './why-unread.ts';
import { sameWidths, widthsDiffer } from './widths-differ.ts';

/** Where a declared base stands, seen from the model that declares it. */
export type Place =
  /** is an inferred parent, or a copy or cast of one */
  | { at: 'parent'; parent: string; base: string }
  /** cannot be told from an inferred parent */
  | { at: 'tie'; why: string; probability: number | null; base: string }
  | { at: 'ancestor'; base: string }
  /** same family, another place */
  | {
      at: 'relative';
      how: 'descendant' | 'family' | 'related';
      relatedness: Relatedness | null;
      base: string;
    }
  /** far outside chance no relative; `shape` when widths differ, `adapter` when an adapter's targets cannot fit */
  | {
      at: 'unrelated';
      by: 'weights' | 'shape' | 'adapter';
      chance: number;
      relatedness: Relatedness | null;
      base: string;
    }
  | { at: 'unknown'; why: string; base: string };

/** Edge probability from which a match found without a cosine (equal hashes, re-quantising) may stand against a declaration. */
const CERTAIN_EDGE = 0.99;
const EXACT_METHODS = new Set(['hash', 'values', 'rounding', 'requantise']);

/** Ties are listed generously by inference; one counts while less than this much probability lies before it. */
const TIE_COVERAGE = 0.98;
const SHAPES_FIT = 'its shapes fit, as those of other models may';

/** Places one declared base. Order matters: what speaks for the author is asked first. */
export function placeDeclared(base: string, input: AuditInput, options: AuditOptions): Place {
  const facts = input.facts.get(base);
  const parents = input.edges.filter((edge) => edge.rank === 1);
  const same = (a: string, b: string) =>
    a === b || equivalents(input, a).includes(b) || equivalents(input, b).includes(a);
  const tie = (why: string, probability: number | null = null): Place => ({
    at: 'tie',
    why,
    probability,
    base,
  });

  const parent = parents.find((edge) => same(edge.parent, base));
  if (parent && parent.method !== 'shape') return { at: 'parent', parent: parent.parent, base };
  const listed = input.edges.find((edge) => same(edge.parent, base));
  if (listed?.method === 'shape') return tie(SHAPES_FIT, listed.rank > 1 ? listed.probability : null);
  if (listed && probabilityBefore(listed, input.edges) < TIE_COVERAGE) {
    return tie('it is in the tie set', listed.probability);
  }
  if (input.equivalents.includes(base)) {
    return tie('both hold the same values and nothing tells which came first');
  }
  const source = facts?.quantizedFrom ?? null;
  if (source !== null && parents.some((edge) => same(edge.parent, source))) {
    return tie(`it is a quantised copy of ${source}`);
  }
  if (isAdapter(input)) return placeAdapter(base, input);
  if (facts?.status === 'adapter') return { at: 'unknown', why: whyNoWeights(facts), base };
  if (input.ancestors.some((ancestor) => same(ancestor, base))) return { at: 'ancestor', base };
  const relatedness = input.relatedness.get(base) ?? null;
  if (facts?.ancestors.some((ancestor) => input.equivalents.includes(ancestor))) {
    return placeDescendant(base, facts, input);
  }
  if (input.root !== null && facts?.root === input.root) {
    return { at: 'relative', how: 'family', relatedness, base };
  }
  if (!facts?.hasWeights) return { at: 'unknown', why: whyNoWeights(facts), base };
  return placeByWeights(base, relatedness, parents, input, options);
}

const isAdapter = ({ kind, status }: AuditInput) => kind === 'adapter' || status === 'adapter';

const NOT_SETTLED = 'the two are related, and which came first is not settled';

const probabilityBefore = (edge: Edge, edges: readonly Edge[]) =>
  edges.filter((other) => other.rank < edge.rank).reduce((sum, other) => sum + other.probability, 0);

/**
 * Which way an edge points is the least certain thing about it, and a family whose root was chosen wrongly turns round for everybody on
 * the way. So an author's order of things stands unless the Hub's dates or irreversible rounding speak against it.
 */
function placeDescendant(base: string, facts: DeclaredFacts, input: AuditInput): Place {
  const newer = input.createdAt !== null && facts.createdAt !== null && facts.createdAt > input.createdAt;
  if (newer || facts.rounded) {
    return { at: 'relative', how: 'descendant', relatedness: input.relatedness.get(base) ?? null, base };
  }
  return {
    at: 'tie',
    why: NOT_SETTLED,
    probability: null,
    base,
  };
}

/** An adapter holds factors of a difference: shapes are all it can be checked by, and families are no place it can be put in. */
function placeAdapter(base: string, input: AuditInput): Place {
  const facts = input.facts.get(base);
  const fits = input.adapterFits.get(base) ?? (sharesShape(base, input) ? true : undefined);
  if (fits === true) return { at: 'tie', why: SHAPES_FIT, probability: null, base };
  if (fits === false) return { at: 'unrelated', by: 'adapter', chance: 0, relatedness: null, base };
  if (!facts?.hasWeights) return { at: 'unknown', why: whyNoWeights(facts), base };
  return { at: 'unknown', why: 'an adapter holds no weights to compare', base };
}

/** Whether a base has all the widths of one that was found to fit. */
function sharesShape(base: string, input: AuditInput): boolean {
  const shape = input.facts.get(base)?.shape ?? null;
  return input.edges.some((edge) => {
    const fitting = input.facts.get(edge.parent)?.shape ?? null;
    return edge.method === 'shape' && shape !== null && fitting !== null && sameWidths(shape, fitting);
  });
}

function placeByWeights(
  base: string,
  relatedness: Relatedness | null,
  parents: readonly Edge[],
  input: AuditInput,
  options: AuditOptions,
): Place {
  if (relatedness === null) return { at: 'unknown', why: 'the two were not compared', base };
  if (relatedness.outcome === 'related') {
    // "in another place" needs a place: without a parent of its own in the index, nothing speaks against the author's order of things
    if (parents.length === 0) return { at: 'tie', why: NOT_SETTLED, probability: null, base };
    return { at: 'relative', how: 'related', relatedness, base };
  }
  if (unitsMayBePermuted(parents, input, options)) {
    return {
      at: 'unknown',
      why: 'its units may have been reordered, so values cannot be compared place by place',
      base,
    };
  }
  if (relatedness.outcome === 'undecided') {
    return { at: 'unknown', why: 'the values they have in common do not decide it', base };
  }
  if (relatedness.outcome === 'unrelated') {
    const chance = chanceIfRelated(relatedness);
    if (chance < options.contradictionPValue)
      return { at: 'unrelated', by: 'weights', chance, relatedness, base };
    return { at: 'unknown', why: 'too few values in common to rule it out', base };
  }
  return placeByShape(base, parents, input, options);
}

/**
 * An alarm stands unless the model matches its parent place by place: then its units lie as in that family, and it was only the original
 * of somebody's reordered copy.
 */
function unitsMayBePermuted(parents: readonly Edge[], input: AuditInput, options: AuditOptions): boolean {
  if (parents.some((edge) => edge.relation === 'transformed')) return true;
  if (!input.transformedAlarm) return false;
  return !parents.some((edge) => {
    const relatedness = input.relatedness.get(edge.parent);
    return relatedness?.outcome === 'related' && chanceIfUnrelated(relatedness) < options.contradictionPValue;
  });
}

/**
 * Other widths alone accuse nobody: width pruning and distillation change them. Together with a certain match elsewhere they do,
 * unless an ancestor declares the same base, for then the change of width may have happened above.
 */
function placeByShape(
  base: string,
  parents: readonly Edge[],
  input: AuditInput,
  options: AuditOptions,
): Place {
  const unknown = (why: string): Place => ({ at: 'unknown', why, base });
  if (!widthsDiffer(input.shape, input.facts.get(base)?.shape ?? null)) {
    return unknown('the two hold no values that could be compared');
  }
  const found = parents.filter((edge) => edge.parentKind === 'repo' && edge.method !== 'shape');
  if (found.length === 0) return unknown('its tensors have other widths, so the two cannot be compared');
  if (input.ancestorsDeclare.has(base)) {
    return unknown('its tensors have other widths, and an inferred ancestor names the same base');
  }
  const chance = Math.min(...found.map((edge) => chanceOfMatch(edge, input)));
  if (chance >= options.contradictionPValue)
    return unknown('its tensors have other widths, so the two cannot be compared');
  return { at: 'unrelated', by: 'shape', chance, relatedness: input.relatedness.get(base) ?? null, base };
}

/** Chance that the match with an inferred parent is an accident. */
function chanceOfMatch(edge: Edge, input: AuditInput): number {
  if (EXACT_METHODS.has(edge.method) && edge.probability >= CERTAIN_EDGE) return 0;
  const relatedness = input.relatedness.get(edge.parent);
  return relatedness?.outcome === 'related' ? chanceIfUnrelated(relatedness) : 1;
}

const equivalents = (input: AuditInput, repo: string): readonly string[] =>
  repo === input.repo ? input.equivalents : (input.facts.get(repo)?.equivalents ?? []);

function whyNoWeights(facts: DeclaredFacts | undefined): string {
  if (facts === undefined) return 'it is not in the index';
  if (facts.status === 'adapter') return 'it is an adapter';
  return WHY_UNREAD[facts.status] ?? 'it has not been fingerprinted';
}
