import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import type { Tensorflow } from './backend.ts';

/**
 * Rows times matrix with a gradient written out: the WebAssembly backend is ten times slower on a product with a transposed operand
 * than on a transposition followed by a plain product.
 */
export function createProduct(tf: Tensorflow): (rows: Tensor, matrix: Tensor) => Tensor2D {
  const product = tf.customGrad((a, b, save) => {
    const [rows, matrix] = [a as Tensor2D, b as Tensor2D];
    (save as (tensors: Tensor[]) => void)([rows, matrix]);
    return {
      value: tf.matMul(rows, matrix),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [x, w] = saved as [Tensor2D, Tensor2D];
        return [tf.matMul(dy as Tensor2D, tf.transpose(w)), tf.matMul(tf.transpose(x), dy as Tensor2D)];
      },
    };
  });
  return (rows, matrix) => product(rows, matrix) as Tensor2D;
}

/** Layer normalisation over the last axis. */
export function layerNorm(tf: Tensorflow, rows: Tensor, gain: Tensor, bias: Tensor): Tensor2D {
  const centred = tf.sub(rows, tf.mean(rows, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), gain), bias) as Tensor2D;
}
