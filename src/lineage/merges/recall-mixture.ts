import { NOTHING, TOPICS, type Topic } from '../notes.ts';
import type { PairTable } from '../tree/pair-table.ts';
import { explainByElements, type SparseMixture } from './elements-from-parents.ts';
import { explainAsMixture, type Mixture } from './explain-as-mixture.ts';
import { mayBeExact } from './may-be-exact.ts';

type Explain<T> = (
  table: PairTable,
  child: number,
  candidates: readonly number[],
  bases: readonly number[],
) => T | null;

/** An explanation, noted: all it follows from is the child, the candidates and the bases, in their order. */
function createRecall<T>(
  topic: Topic,
  explain: Explain<T>,
  from: (found: T, models: readonly number[]) => number[],
  to: (child: number, from: ArrayLike<number>, models: readonly number[]) => T,
): Explain<T> {
  return (table, child, candidates, bases) => {
    const models = [...candidates, ...bases];
    const noted = table.notes.ask(topic, [child, ...models], [candidates.length], () => {
      const found = explain(table, child, candidates, bases);
      return found === null ? NOTHING : from(found, models);
    });
    return noted.length === 0 ? null : to(child, noted, models);
  };
}

/** `explainAsMixture`, noted. */
export const recallMixture = createRecall(TOPICS.mixture, explainAsMixture, fromMixture, toMixture);
/** The same where only a mixture that is exact is asked for, which is told in a tenth of the time where there is none. */
export const recallExact = createRecall(TOPICS.exactMixture, explainExactly, fromMixture, toMixture);
/** `explainByElements`, noted. */
export const recallElements = createRecall(TOPICS.elements, explainByElements, fromSparse, toSparse);

function explainExactly(...asked: Parameters<Explain<Mixture>>): Mixture | null {
  if (!mayBeExact(...asked)) return null;
  const found = explainAsMixture(...asked);
  return found?.exact ? found : null;
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
