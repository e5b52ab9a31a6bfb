import type { ModelSamples } from './model-samples.ts';
import type { RoundTrip } from './options.ts';
import { areComparable } from './pair-statistics.ts';

/** A candidate's values quantised with the child's own formula and compared with the child's. */
export interface Requantised {
  /** values compared in tensors whose format is round-to-nearest */
  compared: number;
  /** of those, not equal */
  mismatches: number;
  /** values of tensors left unquantised (norm gains in f32), compared and not equal */
  plainCompared: number;
  plainMismatches: number;
  /** sum over all tensors of squared distance over the child's power: the route where no formula is known */
  relativeSquared: number;
  formats: string[];
  /** values in formats with a known largest code, and those of them further than half a step from the candidate's */
  bounded: number;
  outside: number;
  /** blocks in those formats, and those of them whose scale the candidate does not give */
  scales: number;
  scalesOff: number;
}

/** Largest code of the formats whose scale is the block's largest value over it. */
const LARGEST_CODE: Readonly<Record<string, number>> = { Q8_0: 127, Q5_0: 16, Q4_0: 8 };
/** Scales are stored in half precision, and some writers divide by the rounded one. */
const HALF_STEP = 0.5 * 1.01;

/** Half a unit in the last place of a candidate's format: its source may have been quantised before it was rounded to that. */
const HALF_ULP: Readonly<Record<string, number>> = { BF16: 2 ** -9, F16: 2 ** -12 };
const SCALE_HALF_ULP = 2 ** -11;

const BLOCK = 32;

/**
 * Round-to-nearest formats are functions of the source, so the true source reproduces every code. Blocks with values that one of the
 * two does not have are skipped. Tensors in formats without a given round trip count only in the distance.
 */
export function requantise(
  child: ModelSamples,
  candidate: ModelSamples,
  roundTrip: Readonly<Record<string, RoundTrip>>,
): Requantised {
  const result: Requantised = {
    compared: 0,
    mismatches: 0,
    plainCompared: 0,
    plainMismatches: 0,
    relativeSquared: 0,
    formats: [],
    bounded: 0,
    outside: 0,
    scales: 0,
    scalesOff: 0,
  };
  let distance = 0;
  let power = 0;
  const formats = new Set<string>();
  for (const tensor of child.tensors) {
    const source = candidate.byName.get(tensor.name);
    if (!source || !areComparable(tensor, source)) continue;
    const x = tensor.values;
    const y = source.values;
    for (let i = 0; i < x.length; i++) {
      const d = x[i]! - y[i]!;
      if (!(d * 0 === 0)) continue;
      distance += d * d;
      power += x[i]! * x[i]!;
    }
    if (tensor.encoding === 'plain') {
      for (let i = 0; i < x.length; i++) {
        if (!(x[i]! * 0 === 0 && y[i]! * 0 === 0)) continue;
        result.plainCompared++;
        // converters store gains in f32 or round them to f16 on the way
        if (Math.abs(x[i]! - y[i]!) > 6e-4 * Math.abs(x[i]!)) result.plainMismatches++;
      }
      continue;
    }
    const apply = roundTrip[tensor.encoding];
    if (!apply) continue;
    formats.add(tensor.encoding);
    const predicted = apply(y.slice());
    const largest = LARGEST_CODE[tensor.encoding];
    for (let at = 0; at < x.length; at += BLOCK) {
      const end = Math.min(at + BLOCK, x.length);
      let whole = true;
      for (let i = at; i < end; i++) whole = whole && x[i]! * 0 === 0 && y[i]! * 0 === 0;
      if (!whole) continue;
      result.compared += end - at;
      for (let i = at; i < end; i++)
        if (Math.abs(x[i]! - predicted[i]!) > 1e-6 * Math.abs(x[i]!)) result.mismatches++;
      if (largest === undefined) continue;
      // whatever the writer's arithmetic, rounding to nearest moves a value by half a step at most; the largest codes may be clipped
      let extreme = 0;
      let foreseen = 0;
      for (let i = at; i < end; i++) {
        extreme = Math.max(extreme, Math.abs(x[i]!));
        foreseen = Math.max(foreseen, Math.abs(predicted[i]!));
      }
      const step = extreme / largest;
      for (let i = at; i < end; i++) {
        if (Math.abs(x[i]!) > extreme - 1.5 * step) continue;
        result.bounded++;
        if (Math.abs(x[i]! - y[i]!) > HALF_STEP * step) result.outside++;
      }
      // writers differ in how they round codes, hardly in the scale: it is the block's largest value over the largest code
      if ((tensor.shape.at(-1) ?? 0) % BLOCK !== 0) continue; // blocks that go on in the next row were not read whole
      const forgiven = 2 * SCALE_HALF_ULP + (HALF_ULP[source.dtype] ?? 0);
      result.scales++;
      if (Math.abs(extreme - foreseen) > forgiven * foreseen) result.scalesOff++;
    }
  }
  result.relativeSquared = power > 0 ? distance / power : Number.POSITIVE_INFINITY;
  result.formats = [...formats].sort();
  return result;
}

/**
 * Log-likelihood of each candidate being the source, up to a constant. A code of the true source is off with the rate of the best
 * candidate: nearly 0 for ggml's own formula, some per cent for writers that divide by the rounded scale instead of the exact one.
 */
export function scoreSources(found: readonly Requantised[]): number[] {
  const rates = found.filter((f) => f.compared >= 256).map((f) => f.mismatches / f.compared);
  const rate = Math.min(0.4, Math.max(2e-4, ...(rates.length > 0 ? [Math.min(...rates)] : [])));
  const perMismatch = 0.5 * Math.log((1 - rate) / rate);
  return found.map((f) => {
    const plain = -0.5 * Math.min(f.plainMismatches, 20);
    if (f.compared >= 256) return plain - perMismatch * (f.mismatches - rate * f.compared);
    // calibrated schemes: half the log of the squared distance, as if 400 values were independent
    return plain - 200 * Math.log(f.relativeSquared + 1e-9);
  });
}
