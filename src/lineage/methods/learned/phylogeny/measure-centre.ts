import type { TensorSample } from '../../../../types/fingerprint.ts';
import type { ModelSamples } from '../../../model-samples.ts';
import { clip, FLOOR } from './sum-pair.ts';

/** One model against the centre of its set: sampled deltas and per-tensor statistics, pooled so that shapes do not matter. */
export interface CentreMeasures {
  /** half the log of the mean squared delta, relative to the power of each tensor */
  logDistance: number;
  /** 10 %, 50 % and 90 % of the same by tensor */
  quantiles: [number, number, number];
  /** log of the kurtosis of whitened deltas (3 for a Gaussian): few values moved, or all */
  logKurtosis: number;
  /** mean over matrices of log norm minus the set's mean, in hundredths */
  logNorm: number;
  /** mean over matrices of kurtosis minus the set's mean */
  kurtosis: number;
  /** distance of vectors only: gains are often frozen */
  gainsLogDistance: number;
}

interface Centre {
  sum: Float64Array;
  count: Float64Array;
  logNorm: number;
  kurtosis: number;
  models: number;
}

/** Centres are means over all models that have the tensor in the same layout; `powerOf` is the scale deltas are held against. */
export function measureCentres(
  samples: readonly ModelSamples[],
  powerOf: (tensor: TensorSample) => number,
): CentreMeasures[] {
  const centres = new Map<string, Centre>();
  for (const { tensors } of samples)
    for (const tensor of tensors) {
      const { values, stats } = tensor;
      const key = keyOf(tensor);
      let centre = centres.get(key);
      if (!centre) {
        centre = {
          sum: new Float64Array(values.length),
          count: new Float64Array(values.length),
          logNorm: 0,
          kurtosis: 0,
          models: 0,
        };
        centres.set(key, centre);
      }
      centre.models++;
      centre.logNorm += Math.log(stats.l2 + 1e-12);
      centre.kurtosis += clip(stats.kurtosis, 20);
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!;
        if (!(value * value < 1e30)) continue;
        centre.sum[i]! += value;
        centre.count[i]!++;
      }
    }
  return samples.map(({ tensors }) => measureOne(tensors, centres, powerOf));
}

function measureOne(
  tensors: readonly TensorSample[],
  centres: ReadonlyMap<string, Centre>,
  powerOf: (tensor: TensorSample) => number,
): CentreMeasures {
  const logs: number[] = [];
  let squares = 0;
  let fourths = 0;
  let values = 0;
  let gains = 0;
  let gainValues = 0;
  let norm = 0;
  let kurtosis = 0;
  let matrices = 0;
  for (const tensor of tensors) {
    const centre = centres.get(keyOf(tensor))!;
    const power = powerOf(tensor) || 1e-12;
    let sum = 0;
    let n = 0;
    for (let i = 0; i < tensor.values.length; i++) {
      const d = tensor.values[i]! - centre.sum[i]! / (centre.count[i]! || 1);
      const squared = Math.min((d * d) / power, 100);
      if (!Number.isFinite(squared)) continue;
      n++;
      sum += squared;
      fourths += squared * squared;
    }
    if (n === 0) continue;
    if (tensor.shape.length < 2) {
      gains += sum;
      gainValues += n;
    } else {
      logs.push(0.5 * Math.log(sum / n + FLOOR));
      norm += Math.log(tensor.stats.l2 + 1e-12) - centre.logNorm / centre.models;
      kurtosis += clip(tensor.stats.kurtosis, 20) - centre.kurtosis / centre.models;
      matrices++;
    }
    squares += sum;
    values += n;
  }
  logs.sort((a, b) => a - b);
  const quantile = (q: number) => logs[Math.round(q * (logs.length - 1))] ?? 0.5 * Math.log(FLOOR);
  const mean = squares / (values || 1);
  return {
    logDistance: 0.5 * Math.log(mean + FLOOR),
    quantiles: [quantile(0.1), quantile(0.5), quantile(0.9)],
    logKurtosis: Math.log((fourths / (values || 1) + FLOOR * FLOOR) / (mean + FLOOR) ** 2 + 1e-3),
    logNorm: clip((100 * norm) / (matrices || 1), 30),
    kurtosis: clip(kurtosis / (matrices || 1), 20),
    gainsLogDistance: 0.5 * Math.log(gains / (gainValues || 1) + FLOOR),
  };
}

function keyOf(tensor: TensorSample): string {
  return `${tensor.name}|${tensor.values.length}`;
}
