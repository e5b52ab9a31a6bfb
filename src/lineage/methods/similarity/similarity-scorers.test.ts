import { describe, expect, it } from 'vitest';
import { loaderOf } from '../../../../bench/lib/loader-of.ts';
import type { FingerprintSummary, TensorSample } from '../../../types/fingerprint.ts';
import type { LineageModel } from '../../../types/lineage.ts';
import { createNormal, createRandom } from '../../numeric/random.ts';
import { findCommonTensors, PROBES, probeSamples } from './sampled-features.ts';
import { SIMILARITY_SCORERS } from './similarity-scorers.ts';

function toTensor(name: string, values: Float32Array, shape: number[] = [16, 64]): TensorSample {
  return { name, role: name, layer: null, shape, values } as unknown as TensorSample;
}

/** Three bases with two children each, all of one shape; r is the children's step. */
function growHub(seed: number, r: number) {
  const normal = createNormal(createRandom(seed));
  const samples = new Map<string, TensorSample[]>();
  for (const base of ['a', 'b', 'c']) {
    const root = ['x', 'y'].map((name) => toTensor(name, Float32Array.from({ length: 512 }, normal)));
    samples.set(base, root);
    for (const child of ['1', '2'])
      samples.set(
        base + child,
        root.map((t) =>
          toTensor(
            t.name,
            t.values.map((v) => v + r * normal()),
          ),
        ),
      );
  }
  const fingerprint = { kind: 'full', coreKey: 'k' } as FingerprintSummary;
  const models = [...samples.keys()].map(
    (repo): LineageModel => ({ repo, owner: repo, createdAt: 0, fingerprint }),
  );
  return { models, samples, load: loaderOf(samples) };
}

describe.each(SIMILARITY_SCORERS)('$name', (scorer) => {
  it('holds every child to be most like its own base among the bases', async () => {
    const { models, load } = growHub(1, 0.1);
    const pairs = await scorer.score(models, load, { seed: 3 });
    expect(pairs.length).toBe(9 * 8);
    expect(pairs.every(({ score }) => Number.isFinite(score))).toBe(true);
    for (const child of ['a1', 'a2', 'b1', 'b2', 'c1', 'c2']) {
      const own = pairs.filter((pair) => pair.child === child && pair.parent.length === 1);
      own.sort((x, y) => y.score - x.score);
      expect(own[0]!.parent).toBe(child[0]);
    }
  });

  it('passes over models without samples', async () => {
    const { models, samples, load } = growHub(1, 0.1);
    samples.delete('b');
    const pairs = await scorer.score(models, load, { seed: 3 });
    expect(pairs.length).toBe(8 * 7);
    expect(pairs.some(({ parent, child }) => parent === 'b' || child === 'b')).toBe(false);
  });
});

describe('features from samples', () => {
  it('are linear in the weights', () => {
    const { samples } = growHub(2, 0.5);
    const [a, a1] = [samples.get('a')!, samples.get('a1')!];
    const middle = a.map((t, i) =>
      toTensor(
        t.name,
        t.values.map((v, k) => (v + a1[i]!.values[k]!) / 2),
      ),
    );
    const common = findCommonTensors([a, a1], undefined);
    const [fa, fb, fm] = [a, a1, middle].map((model) => probeSamples(model, common, 5).values);
    for (let i = 0; i < fm!.length; i++) expect(fm![i]).toBeCloseTo((fa![i]! + fb![i]!) / 2, 5);
  });

  it('are one a run of neighbouring weights: runs break where rows do', () => {
    const tensor = toTensor('x', new Float32Array(12).fill(1));
    const rows = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    const cols = Int32Array.of(0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11);
    const common = findCommonTensors([[tensor], [tensor]], () => ({ rows, cols }));
    expect(common.runs.get('x')).toEqual([
      [0, 4],
      [4, 8],
      [8, 12],
    ]);
    expect(probeSamples([tensor], common, 1)).toMatchObject({ rows: PROBES, width: 3 });
  });

  it('leave vocabularies, vectors and what others lack out, and survive values that are no numbers', () => {
    const values = Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY, 2);
    const model = [
      toTensor('x', values),
      toTensor('model.embed_tokens.weight', values),
      toTensor('norm', values, [4]),
      toTensor('only-here', values),
    ];
    const common = findCommonTensors([model, [toTensor('x', values)]], undefined);
    expect(common.names).toEqual(['x']);
    expect(probeSamples(model, common, 1).values.every(Number.isFinite)).toBe(true);
  });
});
