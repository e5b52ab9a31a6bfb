import type { Edge, LineageModel } from '../../types/lineage.ts';
import { familiesOf } from '../assemble.ts';
import type { LineageMethod } from '../options.ts';
import type { PairScorer, ScoredPair } from './pair-scorer.ts';

/** Rivals of a chosen parent kept as ties. */
const MAX_TIES = 4;

/** How a method's scores become numbers in [0, 1]; default: they are shares already. */
export type ToProbability = (pair: ScoredPair, rivals: readonly ScoredPair[]) => number;

const asShare: ToProbability = (pair) => Math.max(0, Math.min(1, pair.score));

/** For scores that are no shares: the best candidate is named, as the papers do, with no word on how sure that is. */
export const nameTheBest: ToProbability = (pair, rivals) => (pair === rivals[0] ? 1 : 0);

/**
 * A scorer of pairs as a way of finding parents: each child takes its best-scored parent, circles are broken at their weakest edge, and
 * what scores below the threshold is left out. Probabilities are the method's own scores, not calibrated ones; a note says so.
 */
export function toLineageMethod(scorer: PairScorer, toProbability: ToProbability = asShare): LineageMethod {
  return {
    name: scorer.name,
    async infer(models, load, options) {
      const notes = [
        `${scorer.name} is a method of the literature: its probabilities are its own scores, not calibrated.`,
      ];
      const adapters = models.filter(({ fingerprint }) => fingerprint.kind !== 'full').length;
      if (adapters > 0)
        notes.push(`Adapters were left out (${adapters}): ${scorer.name} compares full models.`);
      const pairs = await scorer.score(models, load, {
        seed: options.seed,
        onNote: (note) => notes.push(note),
        ...(options.positions ? { positions: options.positions } : {}),
      });
      const edges = toEdges(pairs, scorer.name, models, options.minProbability, toProbability);
      return {
        edges,
        // evidence adds up to an edge's probability; a score that is no probability has none to show
        evidence: [],
        families: familiesOf(models, edges),
        virtualParents: [],
        notes,
      };
    },
  };
}

function toEdges(
  pairs: readonly ScoredPair[],
  method: string,
  models: readonly LineageModel[],
  minProbability: number,
  toProbability: ToProbability,
): Edge[] {
  const byRepo = new Map(models.map((model) => [model.repo, model]));
  const byChild = Map.groupBy(
    pairs.filter(({ parent, child }) => parent !== child && byRepo.has(parent) && byRepo.has(child)),
    (pair) => pair.child,
  );
  const ranked = [...byChild]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, own]) => {
      const sorted = own.sort((a, b) => b.score - a.score || (a.parent < b.parent ? -1 : 1));
      // what scores nothing is no tie
      return sorted
        .map((pair) => ({ ...pair, probability: toProbability(pair, sorted) }))
        .filter((pair, i) => i === 0 || pair.probability > 0);
    });
  const chosen = ranked
    .map((own) => own[0]!)
    .filter((pair) => pair.probability >= minProbability)
    .sort((a, b) => b.score - a.score || (a.child < b.child ? -1 : 1));
  const parentOf = new Map<string, string>();
  for (const { child, parent } of chosen) {
    let above: string | undefined = parent;
    while (above !== undefined && above !== child) above = parentOf.get(above);
    // the strongest edges stand first, so the one that would close a circle is its weakest
    if (above === undefined) parentOf.set(child, parent);
  }
  return ranked.flatMap((own) =>
    parentOf.get(own[0]!.child) !== own[0]!.parent
      ? []
      : own.slice(0, 1 + MAX_TIES).map(
          ({ child, parent, probability }, i): Edge => ({
            child,
            parent,
            relation: byRepo.get(child)!.fingerprint.quantized ? 'quantized' : 'finetune',
            probability,
            rank: i + 1,
            weight: null,
            method,
            parentKind: 'repo',
          }),
        ),
  );
}
