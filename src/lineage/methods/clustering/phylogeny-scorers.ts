import type { LineageModel } from '../../../types/lineage.ts';
import type { PairScorer, ScoredPair } from '../pair-scorer.ts';
import { createDistances, type FakeInitialisation } from './fake-initialisation.ts';
import { type Clusterer, identifyParents } from './identify-parents.ts';
import { nullRadius } from './null-radius.ts';
import { type Points, toPoints } from './points.ts';

/** Values of all models of one shape kept at once; beyond it every s-th value of the cores is taken. 128 MB. */
const MAX_VALUES = 2 ** 25;
/** Even odds between mean and member. The paper's value is not known. */
const ALPHA = 0.5;
const REPEATS = 5;
/** far between the seeds of repeats, so that runs of neighbouring seeds share none */
const SEED_STRIDE = 0x9e3779b1;

const CLUSTERERS: readonly Clusterer[] = ['kmeans', 'meanshift', 'dbscan', 'gmm'];

/** `kmeans-after`, `kmeans-along`, `kmeans-after-drawn`, ...: each clusterer, after or along, by the norm or a drawn initialisation. */
export const PHYLOGENY_SCORERS: readonly PairScorer[] = CLUSTERERS.flatMap((clusterer) =>
  (['after', 'along'] as const).flatMap((when) =>
    (['norm', 'drawn'] as const).map((fake) => createPhylogenyScorer(clusterer, when, fake)),
  ),
);

/**
 * Neural Phylogeny without learning (Yu and Wang, ICLR 2025): models of one shape are clustered by their core samples, each scaled to
 * unit length, and the member nearest a fake initialisation is the parent of its cluster. The score is the share of repeated runs
 * that name the pair.
 */
function createPhylogenyScorer(
  clusterer: Clusterer,
  when: 'after' | 'along',
  fake: FakeInitialisation,
): PairScorer {
  const chance = when === 'along' || fake === 'drawn' || clusterer === 'kmeans' || clusterer === 'gmm';
  return {
    name: `${clusterer}-${when}${fake === 'drawn' ? '-drawn' : ''}`,
    async score(models, load, { seed, repeats = REPEATS, clusters }) {
      const runs = chance ? Math.max(1, repeats) : 1;
      const pairs: ScoredPair[] = [];
      for (const group of groupByShape(models)) {
        const units = toUnits(toPoints(thin(group)));
        const distancesOf = createDistances(
          group.map(({ repo }) => repo),
          group.map(({ fingerprint }) => fingerprint.core),
          load,
        );
        const radius = nullRadius(units, seed);
        const given = clusters?.(group.map(({ repo }) => repo));
        const votes = new Map<number, number>();
        for (let run = 0; run < runs; run++) {
          const runSeed = (seed + run * SEED_STRIDE) >>> 0;
          const distances = await distancesOf(fake, runSeed);
          const parents = identifyParents(units, {
            clusterer,
            when,
            distances,
            alpha: ALPHA,
            radius,
            seed: runSeed,
            clusters: given,
          });
          parents.forEach((parent, child) => {
            if (parent < 0) return;
            const key = parent * group.length + child;
            votes.set(key, (votes.get(key) ?? 0) + 1);
          });
        }
        for (const [key, count] of votes)
          pairs.push({
            parent: group[Math.floor(key / group.length)]!.repo,
            child: group[key % group.length]!.repo,
            score: count / runs,
          });
      }
      return pairs;
    },
  };
}

/** Models whose cores can be compared, two or more of each kind, by name so that the order of the input changes nothing. */
function groupByShape(models: readonly LineageModel[]): LineageModel[][] {
  const full = models
    .filter(({ fingerprint }) => fingerprint.kind === 'full' && fingerprint.core.length > 0)
    .sort((a, b) => (a.repo < b.repo ? -1 : 1));
  const groups = Map.groupBy(full, ({ fingerprint }) => `${fingerprint.coreKey}|${fingerprint.core.length}`);
  return [...groups.values()].filter((group) => group.length > 1);
}

function thin(group: readonly LineageModel[]): Float32Array[] {
  const length = group[0]!.fingerprint.core.length;
  const stride = Math.ceil((length * group.length) / MAX_VALUES);
  return group.map(({ fingerprint: { core } }) =>
    stride <= 1
      ? core
      : Float32Array.from({ length: Math.floor(length / stride) }, (_, i) => core[i * stride]!),
  );
}

function toUnits({ count, dim, values }: Points): Points {
  const units = new Float32Array(values.length);
  for (let i = 0; i < count; i++) {
    let power = 0;
    for (let d = 0; d < dim; d++) power += values[i * dim + d]! ** 2;
    const scale = power > 0 ? 1 / Math.sqrt(power) : 0;
    for (let d = 0; d < dim; d++) units[i * dim + d] = values[i * dim + d]! * scale;
  }
  return { count, dim, values: units };
}
