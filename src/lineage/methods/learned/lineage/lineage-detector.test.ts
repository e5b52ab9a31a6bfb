import { describe, expect, it } from 'vitest';
import { generateFamilies } from '../../../../../bench/lib/families.ts';
import { isHublineageError } from '../../../../types/errors.ts';
import { toModelSamples } from '../../../model-samples.ts';
import { createRandom } from '../../../numeric/random.ts';
import { startAdam } from '../adam.ts';
import { BACKENDS, loadBackend } from '../backend.ts';
import { layOut, startParameters, viewParameters } from '../tensor-spec.ts';
import type { TrainingState } from '../training-state.ts';
import { createForward } from './forward.ts';
import { type ImageSet, imageDistance, PIXELS, toImages, toPairImages } from './images.ts';
import { fromImagesFile, toImagesFile } from './images-codec.ts';
import { createLineageScorer, lineageDetector } from './lineage-scorer.ts';
import {
  fromLineageCheckpointFile,
  fromLineageModelFile,
  toLineageCheckpointFile,
  toLineageModelFile,
} from './model-codec.ts';
import { lineageParameters, startDifferences } from './network.ts';
import { rateCandidates } from './rate-candidates.ts';
import { type LabelledImages, measureLineage, measurePlainSimilarity, trainLineage } from './train.ts';

const specs = lineageParameters();

function startModel(seed: number) {
  const weights = startParameters(specs, seed);
  startDifferences(viewParameters(specs, weights));
  return { weights };
}

function noiseSet(n: number, seed: number): ImageSet {
  const random = createRandom(seed);
  const rows = () => Float32Array.from({ length: n * PIXELS }, () => random() - 0.5);
  return {
    repos: Array.from({ length: n }, (_, i) => `m/${i}`),
    createdAt: Float64Array.from({ length: n }, (_, i) => i * 60_000),
    weights: rows(),
    features: rows(),
  };
}

/** Steps of unlike size from model 0, models 1.. being its children or grandchildren. */
function walk(seed: number, n: number): LabelledImages {
  const random = createRandom(seed);
  const set = noiseSet(n, seed);
  const parents = Array.from({ length: n }, (_, i) => (i === 0 ? [] : [Math.floor(random() * i)]));
  for (let i = 1; i < n; i++) {
    const size = Math.exp(2 * (random() - 1));
    for (const block of [set.weights, set.features])
      for (let k = 0; k < PIXELS; k++)
        block[i * PIXELS + k] = block[parents[i]![0]! * PIXELS + k]! + size * block[i * PIXELS + k]!;
  }
  return { family: `walk-${seed}`, images: set, parents };
}

const hub = generateFamilies({
  seed: 11,
  families: 1,
  size: 8,
  valuesPerTensor: 128,
  layers: 2,
  hidden: 16,
  shares: { adapter: 0, upscaled: 0, pruned: 0, transformed: 0, merge: 0 },
});
const hubSamples = hub.models.map((m) => toModelSamples(m.repo, hub.samples.get(m.repo)!));

describe('toImages', () => {
  it('shows one role and all matrices, relative to the mean of the set', () => {
    const images = toImages(hub.models, hubSamples)!;
    for (let k = 0; k < PIXELS; k += 37) {
      const mean = hub.models.reduce((sum, _, m) => sum + images.weights[m * PIXELS + k]!, 0);
      expect(mean).toBeCloseTo(0, 4);
    }
    const twins = hubSamples.map((s, i) => ({ ...hubSamples[0]!, repo: s.repo, i }));
    const same = toImages(hub.models, twins)!;
    expect(Math.max(...same.weights.map(Math.abs), ...same.features.map(Math.abs))).toBeLessThan(1e-4);
  });

  it('is null when models have too little in common', () => {
    const odd = hubSamples.map((s, i) =>
      i === 0
        ? toModelSamples(
            s.repo,
            s.tensors.filter((t) => t.shape.length < 2),
          )
        : s,
    );
    expect(toImages(hub.models, odd)).toBeNull();
  });

  it('pairs are in units of the median distance, so a light family looks like a heavy one', () => {
    const set = noiseSet(5, 3);
    const light = set.weights.map((v) => v / 1000);
    const [a, b] = [set.weights, light].map((w) => toPairImages(w, 0, [1, 2, 3, 4]));
    a!.forEach((v, i) => {
      expect(b![i]).toBeCloseTo(v, 1);
    });
    expect(imageDistance(light, 1, 2)).toBeCloseTo(imageDistance(set.weights, 1, 2) / 1000, 6);
  });
});

describe('rateCandidates', () => {
  it.for(BACKENDS)('gives the numbers of TensorFlow.js on backend %s', async (name, { skip }) => {
    const backend = await loadBackend(name).catch(() => null);
    if (name !== 'tensorflow') expect(backend).not.toBeNull();
    if (backend === null) return skip('@tensorflow/tfjs-node is not installed');
    const { tf } = backend;
    const set = noiseSet(6, 1);
    const model = startModel(2);
    const candidates = [0, 2, 5, 4];
    const byName = new Map(
      layOut(specs).parameters.map((p) => [
        p.name,
        tf.tensor(model.weights.subarray(p.offset, p.offset + p.size), p.shape),
      ]),
    );
    const images = {
      count: 4,
      weights: toPairImages(set.weights, 3, candidates),
      features: toPairImages(set.features, 3, candidates),
    };
    const theirs = createForward(tf)(images, (n) => byName.get(n)!).dataSync();
    const ours = rateCandidates(set, 3, candidates, model);
    expect(ours).toHaveLength(5);
    ours.forEach((v, i) => {
      expect(theirs[i]).toBeCloseTo(v, 3);
    });
  });

  it('follows the candidates when they change places', () => {
    const set = noiseSet(6, 4);
    const model = startModel(5);
    const rate = (candidates: number[]) => {
      const logits = rateCandidates(set, 0, candidates, model);
      return new Map([...candidates, 'none'].map((who, i) => [who, logits[i]!]));
    };
    const straight = rate([1, 2, 3]);
    for (const [who, logit] of rate([3, 1, 2])) expect(logit).toBeCloseTo(straight.get(who)!, 4);
  });
});

describe('trainLineage', () => {
  const training = [walk(1, 5), walk(2, 4)];
  const heldOut = [walk(50, 4)];

  it('learns, and resumes as if nothing had happened', async () => {
    const backend = await loadBackend('wasm');
    const options = { seed: 3, epochs: 2, rate: 0.01, patience: 9 };
    const losses: number[] = [];
    let kept: TrainingState | null = null;
    const whole = await trainLineage(training, heldOut, backend, {
      ...options,
      onEpoch: ({ epoch, trainLoss }, checkpoint) => {
        losses.push(trainLoss);
        if (epoch === 1) kept = fromLineageCheckpointFile(toLineageCheckpointFile(checkpoint()));
      },
    });
    expect(losses[1]!).toBeLessThan(losses[0]!);
    const resumed = await trainLineage(training, heldOut, backend, { ...options, resume: kept! });
    expect(resumed.weights).toEqual(whole.weights);
  }, 30_000);

  it('asks only about models that do not descend from the child', () => {
    const chain: LabelledImages = { ...walk(1, 3), parents: [[], [0], [1]] };
    const plain = measurePlainSimilarity([chain]);
    // the root has nobody to be asked about; model 1 has only its parent
    expect(plain.children).toBe(2);
    expect(plain.generations[0]).toEqual({ right: expect.any(Number), of: 2 });
    expect(plain.forced).toBeGreaterThanOrEqual(0.5);
    expect(measureLineage([chain], startModel(1)).children).toBe(2);
  });
});

describe('lineage-detector', () => {
  const load = async (repos: readonly string[]) =>
    new Map(repos.map((repo) => [repo, hub.samples.get(repo)!]));

  it('scores only models that were there before', async () => {
    const pairs = await createLineageScorer(startModel(1)).score(hub.models, load, { seed: 1 });
    const created = new Map(hub.models.map((m) => [m.repo, m.createdAt]));
    expect(pairs.length).toBeGreaterThan(10);
    for (const { parent, child, score } of pairs) {
      expect(created.get(parent)!).toBeLessThanOrEqual(created.get(child)! + 3_600_000);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
  });

  it('says what is missing without weights', () => {
    expect(() =>
      lineageDetector.infer([], load, { method: 'lineage-detector', seed: 1, minProbability: 0.5 }),
    ).toThrow(/no weights/);
  });
});

describe('files', () => {
  const codeOf = (work: () => unknown) => {
    try {
      work();
      return null;
    } catch (error) {
      return isHublineageError(error) ? error.code : String(error);
    }
  };

  it('keep images, models and checkpoints', () => {
    const sets = [walk(1, 4), walk(2, 3)];
    const back = fromImagesFile(toImagesFile(sets));
    back.forEach((set, s) => {
      expect(set.parents).toEqual(sets[s]!.parents);
      set.images.weights.forEach((v, i) => {
        expect(v).toBeCloseTo(sets[s]!.images.weights[i]!, 3);
      });
    });
    const model = startModel(7);
    expect(fromLineageModelFile(toLineageModelFile(model, { seed: 7 }))).toEqual(model);
    const state = {
      seed: 4,
      epochs: 9,
      epoch: 1,
      weights: model.weights,
      adam: startAdam(model.weights.length),
      average: model.weights,
      best: model.weights,
      bestError: Number.POSITIVE_INFINITY,
      sinceBest: 0,
    };
    expect(fromLineageCheckpointFile(toLineageCheckpointFile(state))).toEqual(state);
  });

  it('are refused when cut off, poisoned or of another kind', () => {
    const model = toLineageModelFile(startModel(1), {});
    const poisoned = model.slice();
    poisoned.fill(0xff, poisoned.length - 4);
    for (const bytes of [new Uint8Array(0), model.subarray(0, 100), model.subarray(1), poisoned])
      expect(codeOf(() => fromLineageModelFile(bytes))).toBe('HeaderInvalid');
    const images = toImagesFile([walk(1, 4)]);
    for (const bytes of [model, images.subarray(0, images.length - 2), new Uint8Array(3)])
      expect(codeOf(() => fromImagesFile(bytes))).toBe('HeaderInvalid');
  });
});
