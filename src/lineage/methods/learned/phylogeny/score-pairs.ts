import { viewParameters } from '../tensor-spec.ts';
import { NODE_WIDTH, PAIR_WIDTH, type SetFeatures } from './features.ts';
import type { PhylogenyModel } from './model.ts';
import { phylogenyParameters } from './network.ts';

/** What the detector says of a set. Softmax over a child's pairs and its `none` gives its distribution. */
export interface PairLogits {
  /** one a pair, in the features' order */
  pairs: Float32Array;
  /** one a model: no parent in the set */
  none: Float32Array;
}

const EPSILON = 1e-5;

/**
 * The trained network in plain TypeScript: the same numbers as TensorFlow.js (a test says so) without its 500 ms of start-up, and on
 * sparse pairs, so that its cost is O(pairs x width^2) however large the set. Features are standardised here.
 */
export function scorePairs(features: SetFeatures, model: PhylogenyModel): PairLogits {
  const { width: d, heads, layers } = model.sizes;
  const { count: n, offsets, candidates, reverse } = features;
  const w = viewParameters(phylogenyParameters(model.sizes), model.weights);
  const m = candidates.length;
  let tokens = linear(
    standardise(features.nodes, NODE_WIDTH, model.nodeScale),
    n,
    w('token.in'),
    d,
    w('token.bias'),
  );
  relu(tokens);
  let edges = linear(
    standardise(features.pairs, PAIR_WIDTH, model.pairScale),
    m,
    w('edge.in'),
    d,
    w('edge.bias'),
  );
  relu(edges);

  for (let l = 0; l < layers; l++) {
    const normed = layerNorm(tokens, n, d, w(`${l}.attend.norm.gain`), w(`${l}.attend.norm.bias`));
    const query = linear(normed, n, w(`${l}.attend.query`), d);
    const key = linear(normed, n, w(`${l}.attend.key`), d);
    const value = linear(normed, n, w(`${l}.attend.value`), d);
    const edgeLogit = linear(edges, m, w(`${l}.attend.edge-logit`), heads);
    const edgeValue = linear(edges, m, w(`${l}.attend.edge-value`), d);
    const mixed = attend(features, d, heads, query, key, value, edgeLogit, edgeValue);
    tokens = add(tokens, linear(mixed, n, w(`${l}.attend.out`), d));
    const thought = linear(
      layerNorm(tokens, n, d, w(`${l}.think.norm.gain`), w(`${l}.think.norm.bias`)),
      n,
      w(`${l}.think.in`),
      2 * d,
      w(`${l}.think.bias`),
    );
    relu(thought);
    tokens = add(tokens, linear(thought, n, w(`${l}.think.out`), d));
    edges = add(edges, renew(`${l}.renew`));
  }

  const decided = renew('decide');
  const pairs = linear(decided, m, w('decide.logit'), 1);
  const hidden = linear(
    layerNorm(tokens, n, d, w('none.norm.gain'), w('none.norm.bias')),
    n,
    w('none.in'),
    d,
    w('none.bias'),
  );
  relu(hidden);
  return { pairs, none: linear(hidden, n, w('none.logit'), 1, w('none.logit-bias')) };

  /** relu(own e_cp + reverse e_pc + child h_c + parent h_p + bias) */
  function renew(name: string): Float32Array {
    const own = linear(edges, m, w(`${name}.own`), d, w(`${name}.bias`));
    const back = linear(edges, m, w(`${name}.reverse`), d);
    const child = linear(tokens, n, w(`${name}.child`), d);
    const parent = linear(tokens, n, w(`${name}.parent`), d);
    for (let c = 0; c < n; c++)
      for (let e = offsets[c]!; e < offsets[c + 1]!; e++) {
        const p = candidates[e]!;
        const r = reverse[e]!;
        for (let k = 0; k < d; k++) {
          const sum = own[e * d + k]! + back[r * d + k]! + child[c * d + k]! + parent[p * d + k]!;
          own[e * d + k] = sum > 0 ? sum : 0;
        }
      }
    return own;
  }
}

function attend(
  { count: n, offsets, candidates }: SetFeatures,
  d: number,
  heads: number,
  query: Float32Array,
  key: Float32Array,
  value: Float32Array,
  edgeLogit: Float32Array,
  edgeValue: Float32Array,
): Float32Array {
  const out = new Float32Array(n * d);
  const size = d / heads;
  const scale = 1 / Math.sqrt(size);
  for (let c = 0; c < n; c++) {
    const from = offsets[c]!;
    const to = offsets[c + 1]!;
    for (let h = 0; h < heads; h++) {
      const logits = new Float64Array(to - from);
      let top = Number.NEGATIVE_INFINITY;
      for (let e = from; e < to; e++) {
        let dot = 0;
        const p = candidates[e]!;
        for (let k = h * size; k < (h + 1) * size; k++) dot += query[c * d + k]! * key[p * d + k]!;
        const logit = dot * scale + edgeLogit[e * heads + h]!;
        logits[e - from] = logit;
        if (logit > top) top = logit;
      }
      let total = 0;
      for (let e = 0; e < logits.length; e++) {
        logits[e] = Math.exp(logits[e]! - top);
        total += logits[e]!;
      }
      for (let e = from; e < to; e++) {
        const share = logits[e - from]! / total;
        const p = candidates[e]!;
        for (let k = h * size; k < (h + 1) * size; k++)
          out[c * d + k]! += share * (value[p * d + k]! + edgeValue[e * d + k]!);
      }
    }
  }
  return out;
}

/** Rows times matrix plus bias; `matrix` is [input width, `out`] row by row. */
function linear(
  rows: Float32Array,
  count: number,
  matrix: Float32Array,
  out: number,
  bias?: Float32Array,
): Float32Array {
  const width = matrix.length / out;
  const result = new Float32Array(count * out);
  for (let i = 0; i < count; i++) {
    const target = result.subarray(i * out, (i + 1) * out);
    if (bias) target.set(bias);
    for (let k = 0; k < width; k++) {
      const x = rows[i * width + k]!;
      if (x === 0) continue;
      const at = k * out;
      for (let o = 0; o < out; o++) target[o]! += x * matrix[at + o]!;
    }
  }
  return result;
}

function layerNorm(
  rows: Float32Array,
  count: number,
  d: number,
  gain: Float32Array,
  bias: Float32Array,
): Float32Array {
  const out = new Float32Array(rows.length);
  for (let i = 0; i < count; i++) {
    let mean = 0;
    for (let k = 0; k < d; k++) mean += rows[i * d + k]!;
    mean /= d;
    let variance = 0;
    for (let k = 0; k < d; k++) variance += (rows[i * d + k]! - mean) ** 2;
    const scale = 1 / Math.sqrt(variance / d + EPSILON);
    for (let k = 0; k < d; k++) out[i * d + k] = (rows[i * d + k]! - mean) * scale * gain[k]! + bias[k]!;
  }
  return out;
}

/** (x - mean) / sd, kept within what training has seen: an unseen extreme must not throw the network off. */
export function standardise(rows: Float32Array, width: number, scale: FeatureScale): Float32Array {
  const out = new Float32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const k = i % width;
    const z = (rows[i]! - scale.mean[k]!) / scale.sd[k]!;
    out[i] = z > LIMIT ? LIMIT : z < -LIMIT ? -LIMIT : Number.isNaN(z) ? 0 : z;
  }
  return out;
}

const LIMIT = 4;

export interface FeatureScale {
  mean: Float32Array;
  sd: Float32Array;
}

function relu(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) if (values[i]! < 0) values[i] = 0;
}

function add(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = a[i]! + b[i]!;
  return out;
}
