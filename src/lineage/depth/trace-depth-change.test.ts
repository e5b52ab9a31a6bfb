import { describe, expect, it } from 'vitest';
import type { TensorSample } from '../../types/fingerprint.ts';
import type { LineageModel } from '../../types/lineage.ts';
import type { FamilyTree } from '../family-tree.ts';
import { type ModelSamples, toModelSamples } from '../model-samples.ts';
import { createNormal, createRandom } from '../numeric/random.ts';
import { createPairTable } from '../tree/pair-table.ts';
import { findDepthChange } from './trace-depth-change.ts';

const VALUES = 200;

/** Layers of two matrices each. */
function makeLayers(seed: number, count: number): Float32Array[][] {
  const normal = createNormal(createRandom(seed));
  return Array.from({ length: count }, () => [0, 1].map(() => Float32Array.from({ length: VALUES }, normal)));
}

function toTensors(layers: readonly Float32Array[][]): TensorSample[] {
  return layers.flatMap((matrices, layer) =>
    matrices.map((values, i) => ({
      name: `model.layers.${layer}.mlp.${i === 0 ? 'up' : 'down'}_proj.weight`,
      role: i === 0 ? 'mlp.up' : 'mlp.down',
      layer,
      shape: [10, VALUES / 10],
      dtype: 'F32',
      encoding: 'plain' as const,
      values,
      stats: { count: VALUES, mean: 0, std: 1, l2: Math.sqrt(VALUES), kurtosis: 0 },
      hash: '',
    })),
  );
}

function familyOf(repo: string, layers: readonly Float32Array[][]): FamilyTree {
  const samples: ModelSamples = toModelSamples(repo, toTensors(layers));
  const member = { repo, fingerprint: { widths: { layers: layers.length } } } as LineageModel;
  return {
    members: [member],
    table: createPairTable([samples]),
    nodes: [{ repo, existedBy: 0, vocab: null }],
    nearest: [[]],
    tree: {
      root: 0,
      parent: Int32Array.of(-1),
      candidates: [[]],
      rootScores: Float64Array.of(0),
      hiddenRootScores: Float64Array.of(0),
    },
    foreign: 0,
  };
}

describe('findDepthChange', () => {
  const base = makeLayers(1, 8);

  it('finds layers dropped and layers repeated', () => {
    const pruned = familyOf(
      'me/pruned',
      [0, 1, 2, 5, 6, 7].map((i) => base[i]!),
    );
    const repeated = familyOf(
      'me/repeated',
      [0, 1, 2, 3, 4, 2, 3, 4, 5, 6, 7].map((i) => base[i]!),
    );
    expect(findDepthChange(pruned, familyOf('me/base', base), 1)).toMatchObject({
      relation: 'pruned',
      alignment: { map: [0, 1, 2, 5, 6, 7] },
    });
    expect(findDepthChange(familyOf('me/base', base), repeated, 1)).toMatchObject({
      relation: 'upscaled',
      alignment: { map: [0, 1, 2, 3, 4, 2, 3, 4, 5, 6, 7] },
    });
  });

  it('finds a pruned model of which a layer was made anew', () => {
    const layers = [0, 1, 2, 5, 6, 7].map((i) => base[i]!);
    layers[3] = makeLayers(2, 1)[0]!;
    expect(findDepthChange(familyOf('me/pruned', layers), familyOf('me/base', base), 1)?.relation).toBe(
      'pruned',
    );
  });

  it('takes no stack of unrelated layers for one, though the best of all stacks lies beyond chance', () => {
    for (let seed = 10; seed < 30; seed++) {
      const other = makeLayers(seed, 12);
      expect(findDepthChange(familyOf('me/base', base), familyOf('me/other', other), 1)).toBeNull();
    }
    // what all layers of two unrelated models may share a little of: the frame of an architecture
    const drift = makeLayers(3, 12).map((layer) =>
      layer.map((values, i) => values.map((x, k) => x + 0.06 * base[0]![i]![k]!)),
    );
    const leaning = base.map((layer) =>
      layer.map((values, i) => values.map((x, k) => x + 1.2 * base[0]![i]![k]!)),
    );
    expect(findDepthChange(familyOf('me/base', leaning), familyOf('me/other', drift), 1)).toBeNull();
  });
});
