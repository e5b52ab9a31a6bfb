import type { Scalar, Tensor } from '@tensorflow/tfjs';
import type { Tensorflow } from '../learned/index.ts';

/** Parameters of a network by name. */
export type Params = Readonly<Record<string, Tensor>>;

/** Names both have in the same shape, sorted: what a step from one to the other is made of. */
export function commonParameters(parent: Params, child: Params): string[] {
  return Object.keys(parent)
    .filter((name) => child[name] && `${child[name].shape}` === `${parent[name]!.shape}`)
    .sort();
}

/** The sum, depending on all values: TensorFlow.js refuses parameters a result does not depend on, such as a head's. They add nothing. */
export function dependOnAll(sum: Scalar, values: readonly Tensor[]): Scalar {
  return values.reduce<Scalar>((total, value) => total.add(value.sum().mul(0)), sum);
}

/** A network that can be run: what a layer says to a batch, as [rows, width], differentiable in its parameters. */
export interface RunnableNetwork {
  features(tf: Tensorflow, params: Params, batch: Tensor): Tensor;
}

/** `layers.<i>.weight` [out, in] and `layers.<i>.bias` [out]; ReLU between layers. Features are what enters the last layer, the head. */
export function createDenseNetwork(layers: number): RunnableNetwork {
  return {
    features: (_tf, params, batch) => {
      let x = batch;
      for (let i = 0; i < layers - 1; i++) x = dense(params, `layers.${i}`, x).relu();
      return x;
    },
  };
}

/**
 * 3 x 3 convolutions `convs.<i>.weight` [out, 3 x 3 x in] with `bias`, valid padding, ReLU; features are the mean over places.
 * Batches are [n, height, width, channels]. Written with shifted slices and matrix products, because the WebAssembly backend has no
 * gradient of a convolution's filter.
 */
export function createConvNetwork(layers: number): RunnableNetwork {
  return {
    features: (tf, params, batch) => {
      let x = batch;
      for (let i = 0; i < layers; i++) {
        const [n = 0, h = 0, w = 0, c = 0] = x.shape;
        const shifted = [0, 1, 2].flatMap((dy) =>
          [0, 1, 2].map((dx) => x.slice([0, dy, dx, 0], [n, h - 2, w - 2, c])),
        );
        const patches = tf.concat(shifted, 3).reshape([n * (h - 2) * (w - 2), 9 * c]);
        const out = dense(params, `convs.${i}`, patches).relu();
        x = out.reshape([n, h - 2, w - 2, out.shape[1] ?? 0]);
      }
      return x.mean([1, 2]);
    },
  };
}

function dense(params: Params, name: string, x: Tensor): Tensor {
  return x.matMul(params[`${name}.weight`]!, false, true).add(params[`${name}.bias`]!);
}
