import { describe, expect, it } from 'vitest';
import { generateFamilies } from '../../../bench/lib/families.ts';
import { inferLineage } from '../infer-lineage.ts';
import { NODE_WIDTH, PAIR_WIDTH } from '../methods/learned/phylogeny/features.ts';
import type { PhylogenyModel } from '../methods/learned/phylogeny/model.ts';
import { DEFAULT_SIZES, phylogenyParameters } from '../methods/learned/phylogeny/network.ts';
import { startParameters } from '../methods/learned/tensor-spec.ts';
import { toModelSamples } from '../model-samples.ts';
import { LEARNED_DETECTOR_AGREES, learnedDetectorAgrees } from './learned-detector-agrees.ts';

const detector: PhylogenyModel = {
  sizes: DEFAULT_SIZES,
  nodeScale: { mean: new Float32Array(NODE_WIDTH), sd: new Float32Array(NODE_WIDTH).fill(1) },
  pairScale: { mean: new Float32Array(PAIR_WIDTH), sd: new Float32Array(PAIR_WIDTH).fill(1) },
  weights: startParameters(phylogenyParameters(DEFAULT_SIZES), 1),
  calibration: { slope: 1, intercept: 0 },
};
const hub = generateFamilies({
  seed: 4,
  families: 1,
  size: 8,
  valuesPerTensor: 64,
  layers: 2,
  hidden: 16,
  shares: {
    duplicate: 0,
    cast: 0,
    quantized: 0,
    merge: 0,
    adapter: 0,
    upscaled: 0,
    pruned: 0,
    transformed: 0,
  },
});
const samples = hub.models.map((m) => toModelSamples(m.repo, hub.samples.get(m.repo)!));

describe('learnedDetectorAgrees', () => {
  it('is 0 for the best candidate of each child, at most the cap below for the others, and scales with its weight', () => {
    const all = () => hub.models.map((_, i) => i);
    const half = learnedDetectorAgrees(hub.models, samples, all, detector, 0.5);
    const whole = learnedDetectorAgrees(hub.models, samples, all, detector, 1);
    hub.models.forEach((_, child) => {
      const odds = hub.models.flatMap((_, parent) => (parent === child ? [] : [whole(child, parent)]));
      expect(Math.max(...odds)).toBe(0);
      expect(Math.min(...odds)).toBeGreaterThanOrEqual(-6);
      expect(half(child, (child + 1) % 8)).toBeCloseTo(whole(child, (child + 1) % 8) / 2, 6);
    });
    // a model it was never shown counts as its worst
    expect(whole(0, 99)).toBe(-6);
  });

  it('is a probe of the engine when weights are handed in, and nothing otherwise', async () => {
    const infer = (detectors?: { phylogeny: PhylogenyModel; weight: number }) =>
      inferLineage(
        hub.models,
        async (repos) => new Map(repos.map((repo) => [repo, hub.samples.get(repo)!])),
        { method: 'hublineage', seed: 1, minProbability: 0.5, ...(detectors ? { detectors } : {}) },
      );
    const probes = async (result: ReturnType<typeof infer>) =>
      new Set((await result).evidence.map((e) => e.probe));
    expect(await probes(infer())).not.toContain(LEARNED_DETECTOR_AGREES);
    expect(await probes(infer({ phylogeny: detector, weight: 0 }))).not.toContain(LEARNED_DETECTOR_AGREES);
    expect(await probes(infer({ phylogeny: detector, weight: 0.25 }))).toContain(LEARNED_DETECTOR_AGREES);
  });
});
