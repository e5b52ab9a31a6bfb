import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../numeric/random.ts';
import { type Backend, loadBackend } from '../backend.ts';
import type { TrainingState } from '../training-state.ts';
import { fitCalibration, pairLogOdds, rawLogOdds } from './calibrate.ts';
import { dropLeaves } from './disturb-set.ts';
import { measureAccuracy } from './evaluate.ts';
import { NODE_WIDTH, PAIR_WIDTH, toFeatures } from './features.ts';
import { scorePairs } from './score-pairs.ts';
import { NODE_MEASURES, PAIR_MEASURES, pairColumn } from './set-table.ts';
import { completePairs } from './sets-codec.ts';
import { type LabelledSet, trainPhylogeny } from './train.ts';

/** Chains and stars whose true parent is marked by one measure; everything else is noise. */
function toySet(seed: number, n = 6): LabelledSet {
  const random = createRandom(seed);
  const parents = Array.from({ length: n }, (_, i) => (i === 0 ? [] : [Math.floor(random() * i)]));
  const complete = completePairs(n);
  const pairs = Float32Array.from(
    { length: complete.candidates.length * PAIR_MEASURES.length },
    () => random() - 0.5,
  );
  for (let c = 0; c < n; c++)
    for (let e = complete.offsets[c]!; e < complete.offsets[c + 1]!; e++)
      pairs[e * PAIR_MEASURES.length + pairColumn('best-rival')] = parents[c]!.includes(
        complete.candidates[e]!,
      )
        ? 3
        : -3;
  return {
    family: `toy-${seed}`,
    table: {
      repos: Array.from({ length: n }, (_, i) => `m/${i}`),
      createdAt: new Float64Array(n),
      nodes: Float32Array.from({ length: n * NODE_MEASURES.length }, random),
      pairs,
      ...complete,
    },
    parents,
  };
}

const sizes = { nodeWidth: NODE_WIDTH, pairWidth: PAIR_WIDTH, width: 8, heads: 2, layers: 1 };
const training = Array.from({ length: 12 }, (_, i) => toySet(i + 1));
const heldOut = Array.from({ length: 4 }, (_, i) => toySet(i + 100, 8));
let backend: Backend;
beforeAll(async () => {
  backend = await loadBackend('wasm');
});

describe('trainPhylogeny', () => {
  it('learns what marks a parent, for sets of another size', async () => {
    const before = measureAccuracy(heldOut, ({ table }) => ({
      pairs: new Float32Array(table.candidates.length),
      none: new Float32Array(table.repos.length),
    }));
    const model = await trainPhylogeny(training, heldOut, backend, {
      seed: 1,
      epochs: 12,
      rate: 0.01,
      patience: 12,
      sizes,
    });
    const after = measureAccuracy(heldOut, (set) => scorePairs(toFeatures(set.table), model));
    expect(before.loss).toBeCloseTo(Math.log(8), 5);
    expect(after.loss).toBeLessThan(before.loss / 2);
    expect(after.forced).toBeGreaterThan(0.9);
  });

  it('gives the same weights when interrupted and resumed', async () => {
    const options = { seed: 4, epochs: 3, rate: 0.01, patience: 5, sizes };
    const whole = await trainPhylogeny(training.slice(0, 3), heldOut, backend, options);
    let kept: TrainingState | null = null;
    const stop = new AbortController();
    await expect(
      trainPhylogeny(training.slice(0, 3), heldOut, backend, {
        ...options,
        signal: stop.signal,
        onEpoch: (_, checkpoint) => {
          kept = checkpoint();
          stop.abort();
        },
      }),
    ).rejects.toThrow();
    const resumed = await trainPhylogeny(training.slice(0, 3), heldOut, backend, {
      ...options,
      resume: kept!,
    });
    expect(resumed.weights).toEqual(whole.weights);
  });

  it('stops when held-out sets no longer profit', async () => {
    let epochs = 0;
    await trainPhylogeny(training.slice(0, 1), heldOut, backend, {
      seed: 1,
      epochs: 50,
      rate: 0,
      patience: 2,
      sizes,
      onEpoch: () => {
        epochs++;
      },
    });
    expect(epochs).toBe(3);
  });
});

describe('dropLeaves', () => {
  it('takes only models without children and keeps the rest as it was', () => {
    const set = toySet(9, 10);
    const random = createRandom(2);
    let smaller = set;
    for (let i = 0; i < 20 && smaller === set; i++) smaller = dropLeaves(set, random);
    expect(smaller.table.repos.length).toBeLessThan(10);
    const kept = smaller.table.repos.map((repo) => set.table.repos.indexOf(repo));
    smaller.parents.forEach((row, i) => {
      expect(row.map((p) => kept[p])).toEqual(set.parents[kept[i]!]);
    });
    const at = (s: LabelledSet, child: number, parent: number) => {
      for (let e = s.table.offsets[child]!; e < s.table.offsets[child + 1]!; e++)
        if (s.table.candidates[e] === parent)
          return [...s.table.pairs.subarray(e * PAIR_MEASURES.length, (e + 1) * PAIR_MEASURES.length)];
      return null;
    };
    for (let i = 0; i < kept.length; i++)
      for (let j = 0; j < kept.length; j++) expect(at(smaller, i, j)).toEqual(at(set, kept[i]!, kept[j]!));
  });
});

describe('calibration', () => {
  it('log-odds are against all rivals and "none"', () => {
    const odds = rawLogOdds(
      { pairs: Float32Array.of(2, 0, 1), none: Float32Array.of(1, 0) },
      Int32Array.of(0, 2, 3),
    );
    expect(odds[0]).toBeCloseTo(2 - Math.log(Math.E + 1), 5);
    expect(odds[2]).toBeCloseTo(1, 5);
  });

  it('takes back what is said too surely, and caps the rest', () => {
    // sure of itself by 8 nats, right three times in four
    const sets = Array.from({ length: 40 }, (_, i): LabelledSet => {
      const set = toySet(i, 2);
      return { ...set, parents: [[], i % 4 === 0 ? [] : [0]] };
    });
    const rate = () => ({ pairs: Float32Array.of(-8, 8), none: Float32Array.of(0, 0) });
    const fitted = fitCalibration(sets, rate);
    const said = pairLogOdds(rate(), Int32Array.of(0, 1, 2), fitted);
    expect(1 / (1 + Math.exp(-said[1]!))).toBeGreaterThan(0.68);
    expect(1 / (1 + Math.exp(-said[1]!))).toBeLessThan(0.82);
    expect(pairLogOdds(rate(), Int32Array.of(0, 1, 2), { slope: 5, intercept: 0 })[1]).toBe(6);
  });
});

describe('measureAccuracy', () => {
  it('counts pairs with direction, roots, and ancestors by generation', () => {
    const set: LabelledSet = { ...toySet(1, 4), family: 'chain', parents: [[], [0], [1], [2]] };
    // model 3: 2 best, then 0, then 1: the grandparent is missed; models 1 and 2 right; 0 falsely given a parent
    const logits = new Map([
      ['1>0', 5],
      ['2>1', 5],
      ['2>0', 4],
      ['3>2', 5],
      ['3>0', 4],
      ['3>1', 3],
      ['0>1', 2],
    ]);
    const { offsets, candidates } = set.table;
    const pairs = new Float32Array(candidates.length);
    for (let c = 0; c < 4; c++)
      for (let e = offsets[c]!; e < offsets[c + 1]!; e++)
        pairs[e] = logits.get(`${c}>${candidates[e]}`) ?? -5;
    const score = measureAccuracy([set], () => ({ pairs, none: Float32Array.of(0, 0, 6, 0) }));
    expect(score.children).toBe(3);
    expect(score.strict).toBeCloseTo(2 / 3);
    expect(score.forced).toBe(1);
    expect(score.roots).toBe(0);
    expect(score.generations).toEqual([
      { right: 3, of: 3 },
      { right: 1, of: 2 },
      { right: 1, of: 1 },
    ]);
  });
});
