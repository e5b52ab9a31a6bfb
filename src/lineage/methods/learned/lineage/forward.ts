import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import type { Tensorflow } from '../backend.ts';
import { createProduct } from '../tf-layers.ts';
import { PIXELS, SIDE } from './images.ts';
import { MIXED, WIDTH } from './network.ts';

/** One child's pair images, as `toPairImages` gives them. */
export interface ChildImages {
  count: number;
  weights: Float32Array;
  features: Float32Array;
}

/** The network in TensorFlow.js, for training; `rate-candidates.ts` says the same in plain loops. @returns logits [count + 1] of one child */
export function createForward(tf: Tensorflow) {
  const product = createProduct(tf);
  const inside = SIDE - 2;

  /** 3x3 convolution as nine shifted slices and one product: the WebAssembly backend has no gradient for filters. */
  const encode = (
    images: Float32Array,
    count: number,
    name: string,
    w: (name: string) => Tensor,
  ): Tensor2D => {
    const pixels = tf.tensor2d(images, [count * PIXELS, 2]);
    const mixed = tf.relu(tf.add(product(pixels, w(`${name}.mix`)), w(`${name}.mix-bias`)));
    const image = tf.reshape(mixed, [count, SIDE, SIDE, MIXED]);
    const shifted = [0, 1, 2].flatMap((dy) =>
      [0, 1, 2].map((dx) => tf.slice(image, [0, dy, dx, 0], [count, inside, inside, MIXED])),
    );
    const columns = tf.reshape(tf.concat(shifted, 3), [count * inside * inside, 9 * MIXED]);
    const out = tf.relu(tf.add(product(columns, w(`${name}.conv`)), w(`${name}.conv-bias`)));
    const tokens = tf.mean(tf.reshape(out, [count, inside * inside, WIDTH]), 1);
    const none = tf.reshape(w(`${name}.none`), [1, WIDTH]);
    return tf.add(tf.concat([tokens, none], 0), w(`${name}.type`)) as Tensor2D;
  };

  return (child: ChildImages, w: (name: string) => Tensor): Tensor1D => {
    const rows = child.count + 1;
    const cls = tf.tile(tf.reshape(w('cls'), [1, WIDTH]), [rows, 1]);
    const tokens = [
      cls,
      encode(child.weights, child.count, 'weight', w),
      encode(child.features, child.count, 'feature', w),
    ];
    const query = product(cls, w('attend.query'));
    const logits = tokens.map((t) =>
      tf.sum(tf.mul(tf.mul(query, product(t, w('attend.key'))), 1 / Math.sqrt(WIDTH)), 1, true),
    );
    const shares = tf.softmax(tf.concat(logits, 1));
    let mixed: Tensor = tf.zeros([rows, WIDTH]);
    tokens.forEach((t, i) => {
      mixed = tf.add(mixed, tf.mul(tf.slice(shares, [0, i], [rows, 1]), product(t, w('attend.value'))));
    });
    const out = tf.add(cls, product(mixed, w('attend.out')));
    const centred = tf.sub(out, tf.mean(out, 0, true));
    const variance = tf.mean(tf.square(centred), 0, true);
    const standard = tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5)));
    return tf.reshape(product(standard, w('logit')), [rows]);
  };
}
