import type { TensorSample } from '../../types/fingerprint.ts';
import type { ModelSamples } from '../model-samples.ts';
import { areComparable } from '../pair-statistics.ts';

export interface LayerAlignment {
  /** for each layer of the child, the layer of the parent it comes from */
  map: number[];
  /** cosine of each child layer with its source */
  cosines: number[];
  /** mean cosine of the alignment over its null standard deviation, jumps and the choice among layers not deducted */
  z: number;
  /** places where the next layer is not the next one */
  jumps: number[];
}

/** A jump must be paid with this much cosine: a layer's neighbour is its likely successor. */
const JUMP_PENALTY = 0.05;

/**
 * Which layer of the parent does each layer of the child come from? Samples of a role lie at the same positions in every layer, so the
 * cosine of any two layers is defined; a dynamic programme over (child layer, parent layer) takes steps of +1 free and charges jumps.
 * Repeats are allowed. Null when the two share no layer roles of equal shape.
 */
export function alignLayers(child: ModelSamples, parent: ModelSamples): LayerAlignment | null {
  const childLayers = layersOf(child);
  const parentLayers = layersOf(parent);
  const rows = childLayers.length;
  const cols = parentLayers.length;
  if (rows === 0 || cols === 0) return null;
  const cosine = new Float64Array(rows * cols);
  let values = 0;
  for (let a = 0; a < rows; a++)
    for (let b = 0; b < cols; b++) {
      const measured = layerCosine(childLayers[a]!, parentLayers[b]!);
      cosine[a * cols + b] = measured.cosine;
      values = Math.max(values, measured.values);
    }
  if (values === 0) return null;
  const map = bestPath(cosine, rows, cols, JUMP_PENALTY);
  const cosines = map.map((b, a) => cosine[a * cols + b]!);
  const mean = cosines.reduce((s, c) => s + c, 0) / rows;
  return {
    map,
    cosines,
    z: mean * Math.sqrt(values * rows),
    jumps: map.flatMap((b, a) => (a > 0 && b !== map[a - 1]! + 1 ? [a] : [])),
  };
}

/** Maximises the sum of scores minus jump penalties; O(rows x cols). */
export function bestPath(score: Float64Array, rows: number, cols: number, jumpPenalty: number): number[] {
  const total = new Float64Array(rows * cols);
  const from = new Int32Array(rows * cols).fill(-1);
  for (let b = 0; b < cols; b++) total[b] = score[b]!;
  for (let a = 1; a < rows; a++) {
    let top = 0;
    for (let b = 1; b < cols; b++) if (total[(a - 1) * cols + b]! > total[(a - 1) * cols + top]!) top = b;
    for (let b = 0; b < cols; b++) {
      let best = total[(a - 1) * cols + top]! - jumpPenalty;
      let source = top;
      if (b > 0 && total[(a - 1) * cols + b - 1]! >= best) {
        best = total[(a - 1) * cols + b - 1]!;
        source = b - 1;
      }
      total[a * cols + b] = best + score[a * cols + b]!;
      from[a * cols + b] = source;
    }
  }
  let at = 0;
  for (let b = 1; b < cols; b++) if (total[(rows - 1) * cols + b]! > total[(rows - 1) * cols + at]!) at = b;
  const path = new Array<number>(rows);
  for (let a = rows - 1; a >= 0; a--) {
    path[a] = at;
    at = from[a * cols + at]!;
  }
  return path;
}

function layersOf(model: ModelSamples): TensorSample[][] {
  const layers: TensorSample[][] = [];
  for (const tensor of model.tensors) {
    if (tensor.layer === null || tensor.shape.length < 2) continue;
    const layer = layers[tensor.layer];
    if (layer) layer.push(tensor);
    else layers[tensor.layer] = [tensor];
  }
  return Array.from(layers, (layer) => layer ?? []);
}

/** Mean over common roles of the cosine of centred samples. */
function layerCosine(
  a: readonly TensorSample[],
  b: readonly TensorSample[],
): { cosine: number; values: number } {
  let sum = 0;
  let values = 0;
  for (const x of a) {
    const y = b.find((t) => t.role === x.role);
    if (!y || !areComparable(x, y)) continue;
    let dot = 0;
    let xx = 0;
    let yy = 0;
    let n = 0;
    for (let i = 0; i < x.values.length; i++) {
      const u = x.values[i]! - x.stats.mean;
      const v = y.values[i]! - y.stats.mean;
      if (!(u * v * 0 === 0)) continue;
      dot += u * v;
      xx += u * u;
      yy += v * v;
      n++;
    }
    if (xx === 0 || yy === 0) continue;
    sum += (n * dot) / Math.sqrt(xx * yy);
    values += n;
  }
  return { cosine: values > 0 ? sum / values : 0, values };
}

/** The parent as it would look with the child's layers: what outside the layers is taken over, layers are copied by the map. */
export function stackLayers(parent: ModelSamples, map: readonly number[]): ModelSamples {
  const tensors: TensorSample[] = [];
  for (const tensor of parent.tensors) if (tensor.layer === null) tensors.push(tensor);
  map.forEach((from, to) => {
    for (const tensor of parent.tensors)
      if (tensor.layer === from)
        tensors.push({ ...tensor, layer: to, name: tensor.name.replace(`.${from}.`, `.${to}.`) });
  });
  tensors.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { repo: parent.repo, tensors, byName: new Map(tensors.map((t) => [t.name, t])) };
}
