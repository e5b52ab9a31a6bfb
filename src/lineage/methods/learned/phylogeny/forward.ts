import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { Tensorflow } from '../backend.ts';
import { createProduct, layerNorm } from '../tf-layers.ts';
import type { SetFeatures } from './features.ts';
import type { PhylogenySizes } from './network.ts';
import { type FeatureScale, standardise } from './score-pairs.ts';

/** A set as dense arrays: pairs that are not there are masked out. */
export interface DenseSet {
  count: number;
  nodes: Float32Array;
  /** count x count x pairWidth */
  pairs: Float32Array;
  /** 0 where there is a pair, -1e9 elsewhere */
  mask: Float32Array;
}

export function toDense(
  features: SetFeatures,
  sizes: PhylogenySizes,
  nodeScale: FeatureScale,
  pairScale: FeatureScale,
): DenseSet {
  const { count: n, offsets, candidates } = features;
  const width = sizes.pairWidth;
  const scaled = standardise(features.pairs, width, pairScale);
  const pairs = new Float32Array(n * n * width);
  const mask = new Float32Array(n * n).fill(-1e9);
  for (let c = 0; c < n; c++)
    for (let e = offsets[c]!; e < offsets[c + 1]!; e++) {
      const at = c * n + candidates[e]!;
      mask[at] = 0;
      pairs.set(scaled.subarray(e * width, (e + 1) * width), at * width);
    }
  return { count: n, nodes: standardise(features.nodes, sizes.nodeWidth, nodeScale), pairs, mask };
}

/**
 * The network in TensorFlow.js, for training; `score-pairs.ts` says the same in plain loops.
 * @returns logits [models, models + 1]: candidates by index (masked where there is no pair), then "no parent here"
 */
export function createForward(tf: Tensorflow, sizes: PhylogenySizes) {
  const { width: d, heads, layers } = sizes;
  const product = createProduct(tf);
  const size = d / heads;

  return (set: DenseSet, w: (name: string) => Tensor): Tensor2D => {
    const n = set.count;
    const mask = tf.tensor2d(set.mask, [n, n]);
    let tokens: Tensor2D = tf.relu(
      tf.add(product(tf.tensor2d(set.nodes, [n, sizes.nodeWidth]), w('token.in')), w('token.bias')),
    );
    let edges: Tensor2D = tf.relu(
      tf.add(product(tf.tensor2d(set.pairs, [n * n, sizes.pairWidth]), w('edge.in')), w('edge.bias')),
    );
    // edges that are not there renew themselves from nothing but are never read: their attention is 0 and their logits are masked
    const renew = (name: string): Tensor2D => {
      const own = tf.add(product(edges, w(`${name}.own`)), w(`${name}.bias`));
      const back = tf.transpose(tf.reshape(product(edges, w(`${name}.reverse`)), [n, n, d]), [1, 0, 2]);
      const child = tf.reshape(product(tokens, w(`${name}.child`)), [n, 1, d]);
      const parent = tf.reshape(product(tokens, w(`${name}.parent`)), [1, n, d]);
      const sum = tf.add(tf.add(tf.reshape(own, [n, n, d]), back), tf.add(child, parent));
      return tf.reshape(tf.relu(sum), [n * n, d]);
    };
    const byHead = (rows: Tensor2D): Tensor3D => tf.transpose(tf.reshape(rows, [n, heads, size]), [1, 0, 2]);
    for (let l = 0; l < layers; l++) {
      const normed = layerNorm(tf, tokens, w(`${l}.attend.norm.gain`), w(`${l}.attend.norm.bias`));
      const query = byHead(product(normed, w(`${l}.attend.query`)));
      const key = byHead(product(normed, w(`${l}.attend.key`)));
      const value = byHead(product(normed, w(`${l}.attend.value`)));
      const edgeLogit = tf.transpose(
        tf.reshape(product(edges, w(`${l}.attend.edge-logit`)), [n, n, heads]),
        [2, 0, 1],
      );
      const logits = tf.add(
        tf.add(tf.mul(tf.matMul(query, tf.transpose(key, [0, 2, 1])), 1 / Math.sqrt(size)), edgeLogit),
        mask,
      );
      const share = tf.softmax(logits) as Tensor3D;
      const fromTokens = tf.reshape(tf.transpose(tf.matMul(share, value), [1, 0, 2]), [n, d]);
      const edgeValue = tf.reshape(product(edges, w(`${l}.attend.edge-value`)), [n * n, heads, size]);
      const shareByPair = tf.reshape(tf.transpose(share, [1, 2, 0]), [n * n, heads, 1]);
      const fromEdges = tf.sum(tf.reshape(tf.mul(edgeValue, shareByPair), [n, n, d]), 1);
      tokens = tf.add(tokens, product(tf.add(fromTokens, fromEdges), w(`${l}.attend.out`)));
      const thought = tf.relu(
        tf.add(
          product(
            layerNorm(tf, tokens, w(`${l}.think.norm.gain`), w(`${l}.think.norm.bias`)),
            w(`${l}.think.in`),
          ),
          w(`${l}.think.bias`),
        ),
      );
      tokens = tf.add(tokens, product(thought, w(`${l}.think.out`)));
      edges = tf.add(edges, renew(`${l}.renew`));
    }
    const pairs = tf.add(tf.reshape(product(renew('decide'), w('decide.logit')), [n, n]), mask);
    const hidden = tf.relu(
      tf.add(
        product(layerNorm(tf, tokens, w('none.norm.gain'), w('none.norm.bias')), w('none.in')),
        w('none.bias'),
      ),
    );
    const none = tf.add(product(hidden, w('none.logit')), w('none.logit-bias'));
    return tf.concat([pairs, none], 1) as Tensor2D;
  };
}
