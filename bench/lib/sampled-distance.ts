import type { TensorSample } from '../../src/types/fingerprint.ts';

export interface SampledDistance {
  /** squared distance over common positions, each tensor divided by its spread, relative to the second model's own square */
  squared: number;
  cosine: number;
  values: number;
}

/** Two models' matrices at their common positions; vectors are left out because their gains are near 1 in every model. */
export function measureDistance(a: readonly TensorSample[], b: readonly TensorSample[]): SampledDistance {
  const others = new Map(b.map((tensor) => [tensor.name, tensor]));
  let squared = 0;
  let dot = 0;
  let aa = 0;
  let bb = 0;
  let values = 0;
  for (const tensor of a) {
    const other = others.get(tensor.name);
    if (tensor.shape.length < 2 || other?.values.length !== tensor.values.length) continue;
    const weight = 1 / (tensor.stats.std * other.stats.std || 1);
    tensor.values.forEach((x, i) => {
      const y = other.values[i] as number;
      if (!Number.isFinite(x) || !Number.isFinite(y)) return;
      squared += weight * (x - y) ** 2;
      dot += weight * x * y;
      aa += weight * x * x;
      bb += weight * y * y;
      values++;
    });
  }
  return { squared: squared / (bb || 1), cosine: dot / Math.sqrt(aa * bb || 1), values };
}

/** The same over core vectors, where 0 stands for a value that was not read. */
export function measureCoreDistance(a: Float32Array, b: Float32Array): SampledDistance {
  let squared = 0;
  let dot = 0;
  let aa = 0;
  let bb = 0;
  let values = 0;
  a.forEach((x, i) => {
    const y = b[i] as number;
    if (x === 0 || y === 0) return;
    squared += (x - y) ** 2;
    dot += x * y;
    aa += x * x;
    bb += y * y;
    values++;
  });
  return { squared: squared / (bb || 1), cosine: dot / Math.sqrt(aa * bb || 1), values };
}
