import type { Scalar, Tensor } from '@tensorflow/tfjs';
import type { Tensorflow } from '../learned/index.ts';
import { LSE_TEMPERATURE, type Metric } from '../similarity/metrics.ts';
import { commonParameters, dependOnAll, type Params, type RunnableNetwork } from './runnable.ts';

/** Keeps roots differentiable at zero. */
const TINY = 1e-12;

/** Similarity of features by a metric, as a differentiable scalar: the same numbers as `similarity/metrics.ts`. */
export function similarityOf(tf: Tensorflow, metric: Metric, f: Tensor, g: Tensor): Scalar {
  const d = f.sub(g);
  switch (metric) {
    case 'l1':
      return d.abs().mean().neg() as Scalar;
    case 'l2':
      return d.square().mean().neg() as Scalar;
    case 'lp':
      // products, since a power's gradient takes logarithms of negative numbers
      return d.square().square().mean().neg() as Scalar;
    case 'lse':
      return tf
        .logSumExp(d.abs().div(LSE_TEMPERATURE).flatten())
        .sub(Math.log(d.size))
        .mul(-LSE_TEMPERATURE) as Scalar;
    case 'cka': {
      const K = gram(tf, f);
      const L = gram(tf, g);
      return K.mul(L).sum().div(K.square().sum().mul(L.square().sum()).sqrt()) as Scalar;
    }
    case 'dc': {
      const A = centredDistances(tf, f);
      const B = centredDistances(tf, g);
      const norm = A.square().sum().mul(B.square().sum()).sqrt();
      return A.mul(B).sum().div(norm).sqrt() as Scalar;
    }
  }
}

export interface ApproximatedSimilarity {
  /** similarity at the parent, before roots */
  value: number;
  /** <grad of the similarity at the parent, child - parent>: before roots and alpha */
  firstOrder: number;
}

/**
 * Neural Lineage's learning-free score (Yu and Wang, CVPR 2024) by one metric: the similarity of parent's and child's features on a batch,
 * and its first-order change as the parent's parameters move to the child's. `finish` adds alpha times the one to the other, which is the
 * similarity a network linearised at the parent would have, without its Jacobian: one backward pass and a dot product over the parameters
 * both have in the same shape. `target` holds the child's features on the batch.
 */
export function approximateSimilarity(
  tf: Tensorflow,
  network: RunnableNetwork,
  parent: Params,
  child: Params,
  batch: Tensor,
  target: Tensor,
  metric: Metric,
): ApproximatedSimilarity {
  return tf.tidy(() => {
    const names = commonParameters(parent, child);
    const gradient = tf.valueAndGrads((...values: Tensor[]) => {
      const moving = { ...parent, ...Object.fromEntries(names.map((name, i) => [name, values[i]!])) };
      return dependOnAll(similarityOf(tf, metric, network.features(tf, moving, batch), target), values);
    });
    const { value, grads } = gradient(names.map((name) => parent[name]!));
    const terms = names.map((name, i) => grads[i]!.mul(child[name]!.sub(parent[name]!)).sum());
    return {
      value: value.dataSync()[0]!,
      firstOrder: tf.addN(terms).dataSync()[0]!,
    };
  }) as unknown as ApproximatedSimilarity;
}

function gram(tf: Tensorflow, f: Tensor): Tensor {
  const centred = f.sub(f.mean(0, true));
  return tf.matMul(centred, centred, false, true);
}

function centredDistances(tf: Tensorflow, f: Tensor): Tensor {
  const power = f.square().sum(1, true);
  const squared = power.add(power.transpose()).sub(tf.matMul(f, f, false, true).mul(2));
  // rounding may leave a little below zero; a row's distance to itself is zero and has no slope
  const others = tf.scalar(1).sub(tf.eye(f.shape[0]!));
  const distances = squared.relu().mul(others).add(TINY).sqrt().mul(others);
  return distances.sub(distances.mean(0, true)).sub(distances.mean(1, true)).add(distances.mean());
}
