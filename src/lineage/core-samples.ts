import type { TensorSample } from '../types/fingerprint.ts';
import type { LineageModel } from '../types/lineage.ts';
import { type ModelSamples, toModelSamples } from './model-samples.ts';

/** Pieces a core is cut into; each takes the part of a tensor in the tree search. */
const PIECES = 16;

/**
 * A model's core as if it were its samples: what families too large to load are inferred from. 0 stands for values not read.
 */
export function toCoreSamples(model: LineageModel): ModelSamples {
  const { core } = model.fingerprint;
  const length = Math.ceil(core.length / PIECES);
  const tensors: TensorSample[] = [];
  for (let piece = 0; piece * length < core.length; piece++) {
    const values = core.slice(piece * length, (piece + 1) * length);
    let sum = 0;
    let squares = 0;
    let count = 0;
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0) {
        values[i] = Number.NaN;
        continue;
      }
      sum += values[i]!;
      squares += values[i]! ** 2;
      count++;
    }
    const mean = count > 0 ? sum / count : 0;
    const std = count > 0 ? Math.sqrt(Math.max(0, squares / count - mean ** 2)) : 0;
    tensors.push({
      name: `core.${String(piece).padStart(2, '0')}`,
      role: 'core',
      layer: null,
      shape: [1, values.length],
      dtype: 'F32',
      encoding: 'plain',
      values,
      stats: { count, mean, std, l2: Math.sqrt(squares), kurtosis: 0 },
      hash: '',
    });
  }
  return toModelSamples(model.repo, tensors);
}
