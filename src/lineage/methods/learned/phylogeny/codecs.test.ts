import { describe, expect, it } from 'vitest';
import { isHublineageError } from '../../../../types/errors.ts';
import { startAdam } from '../adam.ts';
import { startParameters } from '../tensor-spec.ts';
import type { PhylogenyModel } from './model.ts';
import { fromCheckpointFile, fromModelFiles, toCheckpointFile, toModelFiles } from './model-codec.ts';
import { DEFAULT_SIZES, phylogenyParameters } from './network.ts';
import { NODE_MEASURES, PAIR_MEASURES } from './set-table.ts';
import { completePairs, fromSetsFile, toSetsFile } from './sets-codec.ts';
import type { LabelledSet } from './train.ts';

const model: PhylogenyModel = {
  sizes: DEFAULT_SIZES,
  nodeScale: {
    mean: new Float32Array(DEFAULT_SIZES.nodeWidth).fill(0.25),
    sd: new Float32Array(DEFAULT_SIZES.nodeWidth).fill(2),
  },
  pairScale: {
    mean: new Float32Array(DEFAULT_SIZES.pairWidth).fill(-1),
    sd: new Float32Array(DEFAULT_SIZES.pairWidth).fill(0.5),
  },
  weights: startParameters(phylogenyParameters(DEFAULT_SIZES), 1),
  calibration: { slope: 0.8, intercept: -0.1 },
};

function makeSet(n: number): LabelledSet {
  const pairs = completePairs(n);
  return {
    family: 'f',
    table: {
      repos: Array.from({ length: n }, (_, i) => `o/${i}`),
      createdAt: Float64Array.from({ length: n }, (_, i) => 1.7e12 + i * 60_000),
      nodes: Float32Array.from({ length: n * NODE_MEASURES.length }, (_, i) => Math.sin(i)),
      pairs: Float32Array.from(
        { length: pairs.candidates.length * PAIR_MEASURES.length },
        (_, i) => 60 * Math.cos(i),
      ),
      ...pairs,
    },
    parents: Array.from({ length: n }, (_, i) => (i === 0 ? [] : [i - 1])),
  };
}

function codeOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return isHublineageError(error) ? error.code : String(error);
  }
}

describe('sets file', () => {
  it('keeps measures to 1/500, times to the minute, and parents', () => {
    const sets = [makeSet(3), makeSet(5), makeSet(1)];
    const back = fromSetsFile(toSetsFile(sets));
    expect(back.map((s) => s.parents)).toEqual(sets.map((s) => s.parents));
    back.forEach((set, k) => {
      set.table.pairs.forEach((v, i) => {
        expect(Math.abs(v - sets[k]!.table.pairs[i]!)).toBeLessThanOrEqual(0.0011);
      });
      set.table.nodes.forEach((v, i) => {
        expect(Math.abs(v - sets[k]!.table.nodes[i]!)).toBeLessThanOrEqual(0.0011);
      });
      expect([...set.table.createdAt]).toEqual(set.table.repos.map((_, i) => i * 60_000));
      expect([...set.table.candidates]).toEqual([...sets[k]!.table.candidates]);
    });
  });

  it('refuses what is cut off, of another version or names parents that are not there', () => {
    const bytes = toSetsFile([makeSet(4)]);
    expect(codeOf(() => fromSetsFile(bytes.subarray(0, bytes.length - 1)))).toBe('HeaderInvalid');
    expect(codeOf(() => fromSetsFile(new Uint8Array(0)))).toBe('HeaderInvalid');
    const text = (change: (header: Record<string, unknown>) => void) => {
      const end = bytes.indexOf(10);
      const header = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString());
      change(header);
      return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), bytes.subarray(end + 1)]);
    };
    expect(codeOf(() => fromSetsFile(text(() => {})))).toBeNull();
    expect(codeOf(() => fromSetsFile(text((h) => Object.assign(h, { format: 'x' }))))).toBe('HeaderInvalid');
    expect(codeOf(() => fromSetsFile(text((h) => Object.assign(h, { pairMeasures: ['x'] }))))).toBe(
      'HeaderInvalid',
    );
    expect(
      codeOf(() =>
        fromSetsFile(
          text((h) => {
            (h.sets as { parents: number[][] }[])[0]!.parents[1] = [99];
          }),
        ),
      ),
    ).toBe('HeaderInvalid');
  });
});

describe('model files', () => {
  it('come back as they were', () => {
    const { spec, weights } = toModelFiles(model);
    expect(fromModelFiles(JSON.parse(JSON.stringify(spec)), weights)).toEqual(model);
  });

  it('are refused when they do not fit each other or claim too much', () => {
    const { spec, weights } = toModelFiles(model);
    const broken: [unknown, Uint8Array][] = [
      [null, weights],
      [{ ...spec, format: 'other' }, weights],
      [{ ...spec, features: ['a'] }, weights],
      [{ ...spec, sizes: { ...spec.sizes, width: 1e9 } }, weights],
      [{ ...spec, sizes: { ...spec.sizes, heads: 5 } }, weights],
      [{ ...spec, nodeScale: { ...spec.nodeScale, sd: spec.nodeScale.sd.map(() => 0) } }, weights],
      [{ ...spec, calibration: {} }, weights],
      [spec, weights.subarray(4)],
      [spec, weights.map((_, i) => (i % 4 === 3 ? 0x7f : 0xff))],
    ];
    for (const [s, w] of broken) expect(codeOf(() => fromModelFiles(s, w))).toBe('HeaderInvalid');
  });

  it('of a checkpoint too, infinity included', () => {
    const size = model.weights.length;
    const state = {
      seed: 4,
      epochs: 9,
      epoch: 3,
      weights: model.weights,
      adam: { ...startAdam(size), step: 12 },
      average: new Float32Array(size).fill(0.25),
      best: new Float32Array(size).fill(0.5),
      bestError: Number.POSITIVE_INFINITY,
      sinceBest: 2,
    };
    const bytes = toCheckpointFile(state);
    expect(fromCheckpointFile(bytes)).toEqual(state);
    expect(codeOf(() => fromCheckpointFile(bytes.subarray(0, 2000)))).toBe('HeaderInvalid');
    expect(codeOf(() => fromCheckpointFile(new Uint8Array(5)))).toBe('HeaderInvalid');
  });
});
