import type { VirtualDtype } from './model.ts';
import { addNoise, roundValues, toNoiseKey } from './noise.ts';
import type { TensorSpec } from './tensor-spec.ts';

/** Standard deviation of matrices, as trained transformers have it within a factor of two. */
const MATRIX_STD = 0.02;
const NORM_STD = 0.1;
const BIAS_STD = 0.01;

/**
 * Where a model's values come from. A child starts from what its parent *stores*: every step rounds to its own dtype.
 * `key` names the weights: equal keys = equal values, whatever the container.
 */
export type Recipe = { key: string; dtype: VirtualDtype } & (
  | { kind: 'root' }
  | { kind: 'finetune'; parent: Recipe; delta: number; frozen: readonly string[] }
  | { kind: 'merge'; parents: readonly { recipe: Recipe; weight: number }[] }
  | { kind: 'cast'; parent: Recipe }
);

/** Values `start … start + count` of one tensor, row-major, exactly as stored in `recipe.dtype`. */
export function readValues(recipe: Recipe, tensor: TensorSpec, start: number, count: number): Float32Array {
  const values = new Float32Array(count);
  fillValues(recipe, tensor, start, values);
  return values;
}

function fillValues(recipe: Recipe, tensor: TensorSpec, start: number, out: Float32Array): void {
  const std = tensor.kind === 'matrix' ? MATRIX_STD : tensor.kind === 'norm' ? NORM_STD : BIAS_STD;
  switch (recipe.kind) {
    case 'root':
      if (tensor.kind === 'norm') out.fill(1);
      addNoise(out, start, toNoiseKey(`${recipe.key} ${tensor.name}`), std);
      break;
    case 'cast':
      fillValues(recipe.parent, tensor, start, out);
      break;
    case 'finetune':
      fillValues(recipe.parent, tensor, start, out);
      if (!tensor.shared && !recipe.frozen.some((prefix) => tensor.name.startsWith(prefix))) {
        addNoise(out, start, toNoiseKey(`${recipe.key} ${tensor.name}`), std * recipe.delta);
      }
      break;
    case 'merge': {
      const part = new Float32Array(out.length);
      for (const { recipe: parent, weight } of recipe.parents) {
        part.fill(0);
        fillValues(parent, tensor, start, part);
        for (let i = 0; i < out.length; i++) out[i] = out[i]! + weight * part[i]!;
      }
      break;
    }
  }
  roundValues(out, recipe.dtype);
}
