import { viewParameters } from '../tensor-spec.ts';
import { type ImageSet, PIXELS, SIDE, toPairImages } from './images.ts';
import { lineageParameters, MIXED, WIDTH } from './network.ts';

/** A trained lineage detector: all parameters one after another, in the order of `lineageParameters`. */
export interface LineageDetectorModel {
  weights: Float32Array;
}

/** Logits of a child's candidates, then of "no parent". The same numbers as `forward.ts` gives in TensorFlow.js; O(candidates). */
export function rateCandidates(
  set: ImageSet,
  child: number,
  candidates: ArrayLike<number>,
  model: LineageDetectorModel,
): Float32Array {
  const w = viewParameters(lineageParameters(), model.weights);
  const count = candidates.length;
  const encode = (name: 'weight' | 'feature', images: Float32Array) => {
    const tokens = new Float32Array((count + 1) * WIDTH);
    const pairs = toPairImages(images, child, candidates);
    for (let c = 0; c < count; c++)
      encodePair(pairs.subarray(c * PIXELS * 2, (c + 1) * PIXELS * 2), name, w, tokens, c * WIDTH);
    tokens.set(w(`${name}.none`), count * WIDTH);
    for (let i = 0; i < tokens.length; i++) tokens[i]! += w(`${name}.type`)[i % WIDTH]!;
    return tokens;
  };
  const weightTokens = encode('weight', set.weights);
  const featureTokens = encode('feature', set.features);
  const outputs = new Float32Array((count + 1) * WIDTH);
  for (let c = 0; c <= count; c++)
    outputs.set(
      attend(
        [
          w('cls'),
          weightTokens.subarray(c * WIDTH, (c + 1) * WIDTH),
          featureTokens.subarray(c * WIDTH, (c + 1) * WIDTH),
        ],
        w,
      ),
      c * WIDTH,
    );
  standardise(outputs, count + 1);
  const logit = w('logit');
  return Float32Array.from({ length: count + 1 }, (_, c) => {
    let sum = 0;
    for (let k = 0; k < WIDTH; k++) sum += outputs[c * WIDTH + k]! * logit[k]!;
    return sum;
  });
}

function encodePair(
  pair: Float32Array,
  name: string,
  w: (name: string) => Float32Array,
  out: Float32Array,
  at: number,
): void {
  // imported constants are looked up through a module object by some loaders; in these loops that is what takes the time
  const [width, mixes, side, inside] = [WIDTH, MIXED, SIDE, SIDE - 2];
  const [mix, mixBias, conv, convBias] = ['mix', 'mix-bias', 'conv', 'conv-bias'].map((p) =>
    w(`${name}.${p}`),
  );
  const mixed = new Float32Array(side * side * mixes);
  for (let k = 0; k < side * side; k++)
    for (let f = 0; f < mixes; f++) {
      const sum = pair[2 * k]! * mix![f]! + pair[2 * k + 1]! * mix![mixes + f]! + mixBias![f]!;
      mixed[k * mixes + f] = sum > 0 ? sum : 0;
    }
  const sums = new Float32Array(width);
  for (let y = 0; y < inside; y++)
    for (let x = 0; x < inside; x++) {
      sums.set(convBias!);
      for (let dy = 0; dy < 3; dy++)
        for (let dx = 0; dx < 3; dx++)
          for (let f = 0; f < mixes; f++) {
            const value = mixed[((y + dy) * side + x + dx) * mixes + f]!;
            if (value === 0) continue;
            const row = ((dy * 3 + dx) * mixes + f) * width;
            for (let o = 0; o < width; o++) sums[o]! += value * conv![row + o]!;
          }
      for (let o = 0; o < width; o++) if (sums[o]! > 0) out[at + o]! += sums[o]! / (inside * inside);
    }
}

/** What the CLS token takes from the three tokens, itself included, with the residual. */
function attend(tokens: readonly Float32Array[], w: (name: string) => Float32Array): Float32Array {
  const project = (token: Float32Array, matrix: Float32Array) => {
    const out = new Float32Array(WIDTH);
    for (let k = 0; k < WIDTH; k++)
      for (let o = 0; o < WIDTH; o++) out[o]! += token[k]! * matrix[k * WIDTH + o]!;
    return out;
  };
  const query = project(tokens[0]!, w('attend.query'));
  const logits = tokens.map((t) => {
    const key = project(t, w('attend.key'));
    return query.reduce((sum, q, k) => sum + q * key[k]!, 0) / Math.sqrt(WIDTH);
  });
  const top = Math.max(...logits);
  const shares = logits.map((l) => Math.exp(l - top));
  const total = shares.reduce((a, b) => a + b, 0);
  const mixed = new Float32Array(WIDTH);
  tokens.forEach((t, i) => {
    const value = project(t, w('attend.value'));
    for (let k = 0; k < WIDTH; k++) mixed[k]! += (shares[i]! / total) * value[k]!;
  });
  const out = project(mixed, w('attend.out'));
  for (let k = 0; k < WIDTH; k++) out[k]! += tokens[0]![k]!;
  return out;
}

function standardise(rows: Float32Array, count: number): void {
  for (let k = 0; k < WIDTH; k++) {
    let mean = 0;
    for (let c = 0; c < count; c++) mean += rows[c * WIDTH + k]! / count;
    let variance = 0;
    for (let c = 0; c < count; c++) variance += (rows[c * WIDTH + k]! - mean) ** 2 / count;
    const scale = 1 / Math.sqrt(variance + 1e-5);
    for (let c = 0; c < count; c++) rows[c * WIDTH + k] = (rows[c * WIDTH + k]! - mean) * scale;
  }
}
