import type { TensorSample } from '../../../../types/fingerprint.ts';
import type { ModelSamples } from '../../../model-samples.ts';
import { createNormal, createRandom } from '../../../numeric/random.ts';

/** Side of both images. */
export const SIDE = 16;
export const PIXELS = SIDE * SIDE;
/** Values of a row piece that a probe input meets. */
const PIECE = 32;
/** Probe inputs are part of the weights' meaning: another seed is another network. */
const PROBE_SEED = 20240617;

/**
 * What the lineage detector sees of a set of related models, relative to their mean: Neural Lineage's two matrices in the form that
 * samples allow. Fine-tuning moves weights by a percent; without the common part taken off, the images of relatives look alike.
 */
export interface ImageSet {
  repos: string[];
  /** ms since epoch */
  createdAt: Float64Array;
  /** models x PIXELS: sampled rows of one role, spread over depth */
  weights: Float32Array;
  /** models x PIXELS: outputs of sampled rows of all matrices (rows) on seeded probe inputs (columns) */
  features: Float32Array;
}

interface Piece {
  name: string;
  offset: number;
}

/**
 * Images of a set. Only matrices that all models have in the same layout count; the role is the value projection where there is one
 * (adapters touch it nearly always), else the role with most values. Null when there are too few common values for an image.
 */
export function toImages(
  models: readonly { repo: string; createdAt: number }[],
  samples: readonly ModelSamples[],
): ImageSet | null {
  const common = commonMatrices(samples);
  const role = chooseRole(common);
  const rowPieces = spread(
    toPieces(
      common.filter((t) => t.role === role),
      SIDE,
    ),
    SIDE,
  );
  const probePieces = spread(toPieces(common, PIECE), SIDE);
  if (rowPieces.length < SIDE || probePieces.length < SIDE) return null;
  const scale = new Map(common.map((t) => [t.name, 1 / (t.stats.std || 1e-12)]));
  const normal = createNormal(createRandom(PROBE_SEED));
  const probes = Float32Array.from({ length: PIECE * SIDE }, () => normal() / Math.sqrt(PIECE));
  const n = models.length;
  const weights = new Float32Array(n * PIXELS);
  const features = new Float32Array(n * PIXELS);
  samples.forEach((model, m) => {
    rowPieces.forEach(({ name, offset }, row) => {
      const { values } = model.byName.get(name)!;
      for (let k = 0; k < SIDE; k++)
        weights[m * PIXELS + row * SIDE + k] = finite(values[offset + k]!) * scale.get(name)!;
    });
    probePieces.forEach(({ name, offset }, row) => {
      const { values } = model.byName.get(name)!;
      for (let probe = 0; probe < SIDE; probe++) {
        let sum = 0;
        for (let k = 0; k < PIECE; k++) sum += finite(values[offset + k]!) * probes[k * SIDE + probe]!;
        features[m * PIXELS + row * SIDE + probe] = sum * scale.get(name)!;
      }
    });
  });
  takeMeanOff(weights, n);
  takeMeanOff(features, n);
  return {
    repos: models.map((m) => m.repo),
    createdAt: Float64Array.from(models, (m) => m.createdAt),
    weights,
    features,
  };
}

function commonMatrices(samples: readonly ModelSamples[]): TensorSample[] {
  const [first, ...others] = samples;
  return (first?.tensors ?? []).filter(
    (tensor) =>
      tensor.shape.length > 1 &&
      others.every((model) => model.byName.get(tensor.name)?.values.length === tensor.values.length),
  );
}

function chooseRole(tensors: readonly TensorSample[]): string {
  const values = new Map<string, number>();
  for (const { role, values: own } of tensors) values.set(role, (values.get(role) ?? 0) + own.length);
  const isValueProjection = (role: string) => (/(?:v_proj|to_v)\.weight$/.test(role) ? 1 : 0);
  const [best] = [...values]
    .filter(([, count]) => count >= PIXELS)
    .sort(([a, x], [b, y]) => isValueProjection(b) - isValueProjection(a) || y - x || (a < b ? -1 : 1));
  return best?.[0] ?? '';
}

function toPieces(tensors: readonly TensorSample[], length: number): Piece[] {
  return tensors.flatMap(({ name, values }) =>
    Array.from({ length: Math.floor(values.length / length) }, (_, i) => ({ name, offset: i * length })),
  );
}

/** Evenly spaced ones, so that an image spans the depth of the network. */
function spread<T>(items: readonly T[], wanted: number): T[] {
  if (items.length < wanted) return [];
  return Array.from({ length: wanted }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / wanted)]!);
}

function takeMeanOff(images: Float32Array, n: number): void {
  for (let k = 0; k < PIXELS; k++) {
    let sum = 0;
    for (let m = 0; m < n; m++) sum += images[m * PIXELS + k]!;
    for (let m = 0; m < n; m++) images[m * PIXELS + k]! -= sum / n;
  }
}

function finite(value: number): number {
  return value * value < 1e30 ? value : 0;
}

/** Square root of the mean squared difference of two models' images. */
export function imageDistance(images: Float32Array, a: number, b: number): number {
  let sum = 0;
  for (let k = 0; k < PIXELS; k++) sum += (images[a * PIXELS + k]! - images[b * PIXELS + k]!) ** 2;
  return Math.sqrt(sum / PIXELS);
}

/**
 * The two channels (candidate, child) of each pair of one child, in units of the median distance to its candidates: a child tuned by
 * a thousandth and one tuned by a tenth look alike to the network. Layout: candidate, pixel, channel.
 */
export function toPairImages(
  images: Float32Array,
  child: number,
  candidates: ArrayLike<number>,
): Float32Array {
  const distances = Array.from(candidates, (c) => imageDistance(images, c, child)).sort((a, b) => a - b);
  const unit = 1 / ((distances[distances.length >> 1] ?? 0) + 1e-6);
  const out = new Float32Array(candidates.length * PIXELS * 2);
  for (let c = 0; c < candidates.length; c++)
    for (let k = 0; k < PIXELS; k++) {
      out[(c * PIXELS + k) * 2] = clip(images[candidates[c]! * PIXELS + k]! * unit);
      out[(c * PIXELS + k) * 2 + 1] = clip(images[child * PIXELS + k]! * unit);
    }
  return out;
}

function clip(value: number): number {
  return Math.max(-8, Math.min(8, value));
}
