import type { Scalar, Tensor } from '@tensorflow/tfjs';
import type { Tensorflow } from '../learned/index.ts';
import { commonParameters, dependOnAll, type Params, type RunnableNetwork } from './runnable.ts';

/**
 * J (child - parent): how a parent's features would move to first order if its parameters went to the child's, over the parameters both
 * have in the same shape. One such step serves every metric, since <grad of S, child - parent> = <dS/df, J (child - parent)>; with several
 * metrics that is cheaper than a backward pass each. Reverse mode twice: u(v) = <J' v, child - parent> is linear in v, and its gradient is
 * the step. Shape of the features; the caller disposes of it.
 */
export function stepOfFeatures(
  tf: Tensorflow,
  network: RunnableNetwork,
  parent: Params,
  child: Params,
  batch: Tensor,
): Tensor {
  return tf.tidy(() => {
    const names = commonParameters(parent, child);
    const start = names.map((name) => parent[name]!);
    const steps = names.map((name) => child[name]!.sub(parent[name]!));
    const shape = network.features(tf, parent, batch).shape;
    const along = (v: Tensor): Scalar => {
      const weighted = (...values: Tensor[]) => {
        const moving = { ...parent, ...Object.fromEntries(names.map((name, i) => [name, values[i]!])) };
        return dependOnAll(network.features(tf, moving, batch).mul(v).sum() as Scalar, values);
      };
      const terms = tf
        .grads(weighted)(start)
        .map((gradient, i) => gradient.mul(steps[i]!).sum());
      return tf.addN(terms) as Scalar;
    };
    return tf.grad(along)(tf.zeros(shape));
  });
}
