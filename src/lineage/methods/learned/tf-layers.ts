import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import type { Tensorflow } from './backend.ts';

/**
 * Matrix products (of the last two axes, axes before them alike in both) with a gradient written out: the WebAssembly backend is ten
 * times slower on a product with a transposed operand than on a transposition followed by a plain product.
 */
export function createProduct(tf: Tensorflow): <T extends Tensor>(rows: T, matrix: Tensor) => T {
  const product = tf.customGrad((a, b, save) => {
    const [rows, matrix] = [a as Tensor, b as Tensor];
    (save as (tensors: Tensor[]) => void)([rows, matrix]);
    return {
      value: tf.matMul(rows, matrix),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [x, w] = saved as [Tensor, Tensor];
        return [tf.matMul(dy, swapLastAxes(tf, w)), tf.matMul(swapLastAxes(tf, x), dy)];
      },
    };
  });
  return <T extends Tensor>(rows: T, matrix: Tensor) => product(rows, matrix) as T;
}

export function swapLastAxes(tf: Tensorflow, x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  return tf.transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}

/** Layer normalisation over the last axis. */
export function layerNorm(tf: Tensorflow, rows: Tensor, gain: Tensor, bias: Tensor): Tensor2D {
  const centred = tf.sub(rows, tf.mean(rows, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), gain), bias) as Tensor2D;
}
