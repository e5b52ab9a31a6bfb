/**
 * How inference holds up when models are missing: random parts of a zoo, parents and roots dropped at random, as a Hub always is.
 * `node bench/subsets.ts DIR [--cache FILE] [--seeds N] [--shares 0.3,0.5,0.7,0.9] [--shuffle-dates SHARE] [--errors]`
 *
 * What counts as right: the true parent (or a copy of it) where one is present; otherwise the nearest ancestor present, or no parent, or
 * a virtual one. Anything else, a child named as parent above all, is wrong.
 */
import { parseArgs } from 'node:util';
import { DEFAULT_MIN_PROBABILITY } from '../src/config/index.ts';
import { DEFAULT_SAMPLING } from '../src/fingerprint/index.ts';
import { inferLineage } from '../src/lineage/index.ts';
import { createRandom } from '../src/lineage/numeric/random.ts';
import { createPositionsOf } from '../src/refresh/positions-of.ts';
import type { Edge, LineageModel } from '../src/types/lineage.ts';
import { ROUND_TRIP } from '../src/weights/index.ts';
import { loaderOf } from './lib/loader-of.ts';
import { measureReliability } from './lib/reliability.ts';
import { percent, table } from './lib/table.ts';
import { createNearestAncestors, createOriginalOf } from './lib/truth.ts';
import { loadZoo } from './lib/zoo.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cache: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    shares: { type: 'string', default: '0.3,0.5,0.7,0.9' },
    'shuffle-dates': { type: 'string', default: '0' },
    errors: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const dir = positionals[0];
if (dir === undefined) {
  process.stderr.write(
    'usage: node bench/subsets.ts DIR [--cache FILE] [--seeds N] [--shares 0.3,0.5] [--shuffle-dates SHARE]\n',
  );
  process.exit(64);
}

const { models, truth } = await loadZoo(dir, values.cache ? { cacheFile: values.cache } : {});
const originalOf = createOriginalOf(truth as never);
const all = models.flatMap(({ repo, owner, createdAt, fingerprint }) =>
  fingerprint ? [{ repo, owner, createdAt, fingerprint }] : [],
);

type Kind = 'parent present' | 'only an ancestor present' | 'no ancestor present';
interface Judged {
  repo: string;
  kind: Kind;
  right: boolean;
  chosen: Edge[];
  /** what is claimed: probability of the chosen edge, null when none is chosen */
  probability: number | null;
}

function judge(kept: readonly LineageModel[], edges: readonly Edge[]): Judged[] {
  const names = new Set(kept.map((model) => model.repo));
  /** originals of which at least one copy is present */
  const present = new Set([...names].map(originalOf));
  const nearestAncestors = createNearestAncestors(truth, present);
  const byChild = Map.groupBy(edges, (edge) => edge.child);
  return [...names].flatMap((repo): Judged[] => {
    const row = truth[repo];
    if (!row) return [];
    const own = originalOf(repo);
    const chosen = (byChild.get(repo) ?? []).filter((edge) => edge.rank === 1 && edge.parentKind === 'repo');
    const probability = chosen.length === 0 ? null : Math.min(...chosen.map((edge) => edge.probability));
    // copies of one original: whichever is told to be the source, the others' edges inside the class are right
    const classmates = [...names].filter((other) => other !== repo && originalOf(other) === own);
    const insideClass = chosen.length === 1 && classmates.includes(chosen[0]?.parent ?? '');
    const parents = new Set(row.parents.map(originalOf));
    if (row.relation === 'duplicate' || row.relation === 'cast' || classmates.length > 0) {
      if (insideClass) return [{ repo, kind: 'parent present', right: true, chosen, probability }];
    }
    const above = nearestAncestors(own);
    const parentThere = [...above].some((ancestor) => parents.has(ancestor));
    const found = new Set(chosen.map((edge) => originalOf(edge.parent)));
    if (row.relation === 'merge' && parentThere) {
      if (above.size < parents.size) return [];
      return [
        {
          repo,
          kind: 'parent present',
          right: found.symmetricDifference(parents).size === 0,
          chosen,
          probability,
        },
      ];
    }
    const none = chosen.length === 0;
    if (above.size === 0) return [{ repo, kind: 'no ancestor present', right: none, chosen, probability }];
    const hit = found.size > 0 && found.isSubsetOf(above);
    if (parentThere) return [{ repo, kind: 'parent present', right: hit, chosen, probability }];
    return [{ repo, kind: 'only an ancestor present', right: hit || none, chosen, probability }];
  });
}

const rows: (string | number)[][] = [];
const records: unknown[] = [];
for (const share of values.shares.split(',').map(Number)) {
  const judged: Judged[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    const random = createRandom(seed * 1000 + Math.round(share * 100));
    const kept = all.filter(() => random() < share).map((model) => ({ ...model }));
    const shuffled = kept.filter(() => random() < Number(values['shuffle-dates']));
    const dates = shuffled.map((model) => model.createdAt).sort(() => random() - 0.5);
    for (const [index, model] of shuffled.entries()) model.createdAt = dates[index] ?? model.createdAt;
    const samples = new Map(kept.map((model) => [model.repo, model.fingerprint.tensors]));
    const result = await inferLineage(kept, loaderOf(samples), {
      method: 'hublineage',
      seed: 1,
      minProbability: DEFAULT_MIN_PROBABILITY,
      roundTrip: ROUND_TRIP,
      positions: createPositionsOf(DEFAULT_SAMPLING),
    });
    const these = judge(kept, result.edges);
    if (values.errors)
      for (const row of these.filter((candidate) => !candidate.right))
        console.log(
          `share ${share} seed ${seed}: ${row.repo} (${truth[row.repo]?.relation}; ${row.kind}; true ${truth[row.repo]?.parents.join('+')}): ${row.chosen.map((edge) => `${edge.parent} ${edge.relation} ${edge.probability.toFixed(3)}`).join(' + ') || 'none'}`,
        );
    judged.push(...these);
  }
  const { calibrationError, wrongThoughSure } = measureReliability(
    judged.flatMap(({ probability, right }) => (probability === null ? [] : [{ probability, right }])),
  );
  const rate = (kind: Kind) => {
    const of = judged.filter((row) => row.kind === kind);
    return of.length === 0
      ? '-'
      : `${percent(of.filter((row) => row.right).length / of.length)} of ${of.length}`;
  };
  rows.push([
    percent(share),
    rate('parent present'),
    rate('only an ancestor present'),
    rate('no ancestor present'),
    percent(wrongThoughSure),
    calibrationError.toFixed(3),
  ]);
  records.push({ share, judged: judged.length, wrongThoughSure, calibrationError });
}
if (values.json) console.log(JSON.stringify(records, null, 2));
else
  console.log(
    table(
      [
        'models kept',
        'parent present',
        'only an ancestor',
        'no ancestor',
        'wrong though sure (> 0.95)',
        'calibration error',
      ],
      rows,
    ),
  );
