import type { TensorStats } from '../types/fingerprint.ts';

/**
 * Statistics of the finite values; all zero when there are none. Two passes in float64, as one pass loses the variance of norm
 * gains near 1. By index: an inference does this to every sample it loads, and iterators take twice the time.
 */
export function computeStats(values: Float32Array): TensorStats {
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const x = values[i] as number;
    // neither NaN nor infinite
    if (x - x !== 0) continue;
    count++;
    sum += x;
    squares += x * x;
  }
  if (count === 0) return { count: 0, mean: 0, std: 0, l2: 0, kurtosis: 0 };
  const mean = sum / count;
  let m2 = 0;
  let m4 = 0;
  for (let i = 0; i < values.length; i++) {
    const d = (values[i] as number) - mean;
    if (d - d !== 0) continue;
    const d2 = d * d;
    m2 += d2;
    m4 += d2 * d2;
  }
  const variance = m2 / count;
  const kurtosis = variance > 0 ? m4 / count / (variance * variance) - 3 : 0;
  return {
    count,
    mean,
    std: Math.sqrt(variance),
    l2: Math.sqrt(squares),
    kurtosis: Number.isFinite(kurtosis) ? kurtosis : 0,
  };
}
