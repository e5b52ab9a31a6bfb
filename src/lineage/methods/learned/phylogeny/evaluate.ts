import { TWIN_SHARE } from './features.ts';
import type { PairLogits } from './score-pairs.ts';
import { PAIR_MEASURES, pairColumn } from './set-table.ts';
import type { LabelledSet } from './train.ts';

/** Share of questions answered right, with how many there were. */
export interface Share {
  right: number;
  of: number;
}

export interface DetectorScore {
  /** mean negative log-likelihood of the truth, a model */
  loss: number;
  /** share of models with a parent in the set whose best candidate is one: pair and direction */
  strict: number;
  /** the same among the candidates alone, when "none" is not an answer */
  forced: number;
  /** `strict` when a bit-equal copy of a parent counts as the parent: weights cannot tell the two apart */
  upToCopies: number;
  /** share of all models answered right, those without a parent included */
  right: number;
  /** share of models without a parent in the set that are told so */
  roots: number;
  /** by generation: the best candidate of all true ancestors removed so far is the parent, grandparent, great-grandparent */
  generations: Share[];
  children: number;
  byFamily: Map<string, Shares>;
}

export interface Shares {
  strict: Share;
  upToCopies: Share;
  forced: Share;
  roots: Share;
}

/**
 * Scores a way of rating pairs. Generations as in Neural Lineage's table: of a child's k-th ancestor against all models that are neither
 * its nearer ancestors nor its descendants.
 * @param isQuestion leaves out children that there is nothing to ask about
 */
export function measureAccuracy(
  sets: readonly LabelledSet[],
  rate: (set: LabelledSet) => PairLogits,
  isQuestion: (set: LabelledSet, child: number) => boolean = () => true,
): DetectorScore {
  let loss = 0;
  let models = 0;
  const generations: Share[] = [0, 1, 2].map(() => ({ right: 0, of: 0 }));
  const byFamily: DetectorScore['byFamily'] = new Map();
  const total = emptyScore();
  for (const set of sets) {
    const { offsets, candidates } = set.table;
    const logits = rate(set);
    const mine = byFamily.get(set.family) ?? emptyScore();
    byFamily.set(set.family, mine);
    set.parents.forEach((parents, child) => {
      if (!isQuestion(set, child)) return;
      const from = offsets[child]!;
      const to = offsets[child + 1]!;
      const none = logits.none[child]!;
      let best = -1;
      let bestLogit = Number.NEGATIVE_INFINITY;
      let top = none;
      for (let e = from; e < to; e++) {
        const logit = logits.pairs[e]!;
        top = Math.max(top, logit);
        if (logit > bestLogit) {
          bestLogit = logit;
          best = candidates[e]!;
        }
      }
      let all = Math.exp(none - top);
      let right = parents.length === 0 ? all : 0;
      for (let e = from; e < to; e++) {
        const weight = Math.exp(logits.pairs[e]! - top);
        all += weight;
        if (parents.includes(candidates[e]!)) right += weight;
      }
      loss -= Math.log(Math.max(right / all, 1e-12));
      models++;
      for (const score of [total, mine])
        if (parents.length === 0) count(score.roots, none >= bestLogit);
        else {
          count(score.forced, parents.includes(best));
          count(score.strict, bestLogit > none && parents.includes(best));
          count(
            score.upToCopies,
            bestLogit > none && (parents.includes(best) || parents.some((p) => areTwins(set, p, best))),
          );
        }
      scoreGenerations(set, child, logits.pairs, generations);
    });
  }
  const share = ({ right, of }: Share) => (of === 0 ? 0 : right / of);
  return {
    loss: loss / (models || 1),
    strict: share(total.strict),
    upToCopies: share(total.upToCopies),
    right: (total.strict.right + total.roots.right) / (models || 1),
    forced: share(total.forced),
    roots: share(total.roots),
    generations,
    children: total.strict.of,
    byFamily,
  };
}

function scoreGenerations(
  { table, parents }: LabelledSet,
  child: number,
  pairs: Float32Array,
  generations: Share[],
): void {
  const barred = new Set<number>([child]);
  const queue = [child];
  const children = (of: number) => parents.flatMap((row, i) => (row.includes(of) ? [i] : []));
  while (queue.length > 0)
    for (const below of children(queue.pop()!))
      if (!barred.has(below)) {
        barred.add(below);
        queue.push(below);
      }
  let ancestors: readonly number[] = parents[child]!;
  for (const share of generations) {
    const wanted = ancestors.filter((a) => !barred.has(a));
    if (wanted.length === 0) return;
    let best = -1;
    let top = Number.NEGATIVE_INFINITY;
    for (let e = table.offsets[child]!; e < table.offsets[child + 1]!; e++) {
      const candidate = table.candidates[e]!;
      if (barred.has(candidate) || !(pairs[e]! > top)) continue;
      top = pairs[e]!;
      best = candidate;
    }
    count(share, wanted.includes(best));
    for (const a of wanted) barred.add(a);
    ancestors = [...new Set(wanted.flatMap((a) => parents[a]!))];
  }
}

function areTwins({ table }: LabelledSet, a: number, b: number): boolean {
  if (table.pairs.length === 0) return false;
  for (let e = table.offsets[a]!; e < table.offsets[a + 1]!; e++)
    if (table.candidates[e] === b)
      return table.pairs[e * PAIR_MEASURES.length + pairColumn('equal-share')]! >= TWIN_SHARE;
  return false;
}

function emptyScore(): Shares {
  const none = () => ({ right: 0, of: 0 });
  return { strict: none(), upToCopies: none(), forced: none(), roots: none() };
}

function count(share: Share, right: boolean): void {
  share.of++;
  if (right) share.right++;
}
