import { NOTHING, TOPICS } from '../notes.ts';
import type { PairTable } from '../tree/pair-table.ts';
import { explainByElements, type SparseMixture } from './elements-from-parents.ts';
import { explainAsMixture, type Mixture } from './explain-as-mixture.ts';

/** `explainAsMixture`, noted: all it follows from is the child and the candidates, in their order. */
export function recallMixture(
  table: PairTable,
  child: number,
  pool: readonly number[],
  bases: readonly number[],
): Mixture | null {
  const models = [...pool, ...bases];
  const found = table.notes.ask(TOPICS.mixture, [child, ...models], [pool.length], () => {
    const mixture = explainAsMixture(table, child, pool, bases);
    return mixture === null ? NOTHING : fromMixture(mixture, models);
  });
  return found.length === 0 ? null : toMixture(child, found, models);
}

/** `explainByElements`, noted. */
export function recallElements(
  table: PairTable,
  child: number,
  candidates: readonly number[],
  bases: readonly number[],
): SparseMixture | null {
  const models = [...candidates, ...bases];
  const found = table.notes.ask(TOPICS.elements, [child, ...models], [candidates.length], () => {
    const sparse = explainByElements(table, child, candidates, bases);
    return sparse === null ? NOTHING : fromSparse(sparse, models);
  });
  return found.length === 0 ? null : toSparse(child, found, models);
}

/** Models by their place among the candidates: numbers in a table change from night to night. */
function fromMixture(m: Mixture, models: readonly number[]): number[] {
  const { reproduced: r } = m;
  return [
    ...[models.indexOf(m.base), m.overFloor, m.singleOverFloor, m.gain, m.exact ? 1 : 0],
    ...(r === null ? [0, 0, 0, 0] : [1, r.share, r.between, r.betweenShare]),
    ...m.parents.flatMap((p) => [models.indexOf(p.model), p.weight, p.marginal]),
  ];
}

function toMixture(child: number, from: ArrayLike<number>, models: readonly number[]): Mixture {
  const [base, overFloor, singleOverFloor, gain, exact, isReproduced, share, between, betweenShare, ...rest] =
    Array.from(from) as [number, number, number, number, number, number, number, number, number, ...number[]];
  return {
    child,
    base: models[base]!,
    parents: inThrees(rest).map(([at, weight, marginal]) => ({ model: models[at]!, weight, marginal })),
    overFloor,
    singleOverFloor,
    gain,
    exact: exact === 1,
    reproduced: isReproduced === 1 ? { share, between, betweenShare } : null,
  };
}

function fromSparse(s: SparseMixture, models: readonly number[]): number[] {
  return [
    ...[models.indexOf(s.base), s.logLikelihood, s.logRatio, s.strays, s.values],
    ...s.parents.flatMap((p) => [models.indexOf(p.model), p.scale, p.taken]),
  ];
}

function toSparse(child: number, from: ArrayLike<number>, models: readonly number[]): SparseMixture {
  const [base, logLikelihood, logRatio, strays, values, ...rest] = Array.from(from) as [
    ...[number, number, number, number, number],
    ...number[],
  ];
  return {
    child,
    base: models[base]!,
    parents: inThrees(rest).map(([at, scale, taken]) => ({ model: models[at]!, scale, taken })),
    logLikelihood,
    logRatio,
    strays,
    values,
  };
}

function inThrees(values: readonly number[]): [number, number, number][] {
  return Array.from({ length: values.length / 3 }, (_, i) => [
    values[3 * i]!,
    values[3 * i + 1]!,
    values[3 * i + 2]!,
  ]);
}
