import { describe, expect, it } from 'vitest';
import type { LineageModel } from '../types/lineage.ts';
import { clusterByLeaders } from './cluster-by-leaders.ts';
import { testCosine } from './cosine-test.ts';
import { createRandom } from './numeric/random.ts';

const SIZE = 4096;

/** Only what clustering looks at. */
function toModel(repo: string, core: Float32Array): LineageModel {
  return { repo, createdAt: 0, fingerprint: { core } } as LineageModel;
}

function drawCore(seed: number, shared: Float32Array | null = null, share = 0): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: SIZE }, (_, i) => random() - 0.5 + share * (shared?.[i] ?? 0));
}

describe('clusterByLeaders', () => {
  it('keeps strangers apart that share a little beyond chance, and heavily tuned relatives together', () => {
    const base = drawCore(1);
    const stranger = drawCore(2, base, 0.12);
    const relative = drawCore(3, base, 0.6);
    // beyond chance by far, were the values independent
    expect(testCosine(base, stranger).z).toBeGreaterThan(5);
    expect(testCosine(base, relative).cosine).toBeGreaterThan(0.4);
    const models = [base, stranger, relative].map((core, i) => toModel(`owner/m${i}`, core));
    expect(clusterByLeaders(models, [0, 1, 2])).toEqual([[0, 2], [1]]);
  });
});
