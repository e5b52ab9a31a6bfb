import { describe, expect, it } from 'vitest';
import { generateFamilies } from '../../../../../bench/lib/families.ts';
import { toModelSamples } from '../../../model-samples.ts';
import { createRandom } from '../../../numeric/random.ts';
import { BACKENDS, loadBackend } from '../backend.ts';
import { layOut, startParameters } from '../tensor-spec.ts';
import { NODE_WIDTH, PAIR_WIDTH, type SetFeatures, toFeatures } from './features.ts';
import { createForward, toDense } from './forward.ts';
import { measureSet } from './measure-set.ts';
import type { PhylogenyModel } from './model.ts';
import { DEFAULT_SIZES, phylogenyParameters } from './network.ts';
import { scorePairs } from './score-pairs.ts';
import { reversePairs } from './set-table.ts';

function randomModel(seed: number): PhylogenyModel {
  const random = createRandom(seed);
  const scale = (width: number) => ({
    mean: Float32Array.from({ length: width }, () => random() - 0.5),
    sd: Float32Array.from({ length: width }, () => 0.5 + random()),
  });
  return {
    sizes: DEFAULT_SIZES,
    nodeScale: scale(NODE_WIDTH),
    pairScale: scale(PAIR_WIDTH),
    weights: startParameters(phylogenyParameters(DEFAULT_SIZES), seed),
    calibration: { slope: 1, intercept: 0 },
  };
}

/** Some pairs missing, always in both orders. */
function sparseFeatures(n: number, seed: number): SetFeatures {
  const random = createRandom(seed);
  const has = Array.from({ length: n }, () => new Uint8Array(n));
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) if (random() < 0.6 || j === i - 1) has[i]![j] = has[j]![i] = 1;
  const offsets = new Int32Array(n + 1);
  const candidates: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) if (has[i]![j]) candidates.push(j);
    offsets[i + 1] = candidates.length;
  }
  const rows = (count: number) => Float32Array.from({ length: count }, () => 2 * random() - 1);
  const list = Int32Array.from(candidates);
  return {
    count: n,
    nodes: rows(n * NODE_WIDTH),
    offsets,
    candidates: list,
    reverse: reversePairs(offsets, list),
    pairs: rows(list.length * PAIR_WIDTH),
  };
}

describe('scorePairs', () => {
  it.for(BACKENDS)('gives the numbers of TensorFlow.js on backend %s', async (name, { skip }) => {
    const backend = await loadBackend(name).catch(() => null);
    // the native package is optional, the other two ship with the product
    if (name !== 'tensorflow') expect(backend).not.toBeNull();
    if (backend === null) return skip('@tensorflow/tfjs-node is not installed');
    const { tf } = backend;
    const model = randomModel(3);
    const features = sparseFeatures(7, 5);
    const specs = phylogenyParameters(model.sizes);
    const byName = new Map(
      layOut(specs).parameters.map((p) => [
        p.name,
        tf.tensor(model.weights.subarray(p.offset, p.offset + p.size), p.shape),
      ]),
    );
    const dense = toDense(features, model.sizes, model.nodeScale, model.pairScale);
    const logits = createForward(tf, model.sizes)(dense, (n) => byName.get(n)!);
    const theirs = logits.dataSync();
    const ours = scorePairs(features, model);
    for (let i = 0; i < 7; i++) {
      expect(theirs[i * 8 + 7]).toBeCloseTo(ours.none[i]!, 3);
      for (let e = features.offsets[i]!; e < features.offsets[i + 1]!; e++)
        expect(theirs[i * 8 + features.candidates[e]!]).toBeCloseTo(ours.pairs[e]!, 3);
    }
  });

  it('does not depend on the order of the models', () => {
    const hub = generateFamilies({
      seed: 5,
      families: 1,
      size: 9,
      valuesPerTensor: 64,
      layers: 2,
      hidden: 16,
      shares: { duplicate: 0.25, cast: 0.25, adapter: 0, upscaled: 0, pruned: 0, transformed: 0 },
    });
    const model = randomModel(4);
    const order = hub.models.map((_, i) => i).sort((a, b) => ((a * 7) % 9) - ((b * 7) % 9));
    expect(order).not.toEqual(hub.models.map((_, i) => i));
    const rate = (places: number[]) => {
      const models = places.map((i) => hub.models[i]!);
      const table = measureSet(
        models,
        models.map((m) => toModelSamples(m.repo, hub.samples.get(m.repo)!)),
      );
      const { pairs, none } = scorePairs(toFeatures(table), model);
      const named = new Map<string, number>();
      table.repos.forEach((child, i) => {
        named.set(child, none[i]!);
        for (let e = table.offsets[i]!; e < table.offsets[i + 1]!; e++)
          named.set(`${child} < ${table.repos[table.candidates[e]!]}`, pairs[e]!);
      });
      return named;
    };
    const straight = rate(hub.models.map((_, i) => i));
    const shuffled = rate(order);
    expect(straight.size).toBe(81);
    for (const [name, value] of straight) expect(shuffled.get(name), name).toBeCloseTo(value, 3);
  });

  it('keeps unseen extremes and values that are not numbers from reaching the network', () => {
    const features = sparseFeatures(5, 1);
    features.pairs[3] = Number.NaN;
    features.nodes[2] = 1e30;
    const { pairs, none } = scorePairs(features, randomModel(2));
    expect([...pairs, ...none].every(Number.isFinite)).toBe(true);
  });

  it('says something of a model without candidates', () => {
    const lonely: SetFeatures = {
      count: 1,
      nodes: new Float32Array(NODE_WIDTH),
      offsets: Int32Array.of(0, 0),
      candidates: new Int32Array(0),
      reverse: new Int32Array(0),
      pairs: new Float32Array(0),
    };
    const { pairs, none } = scorePairs(lonely, randomModel(1));
    expect(pairs).toHaveLength(0);
    expect(Number.isFinite(none[0])).toBe(true);
  });
});
