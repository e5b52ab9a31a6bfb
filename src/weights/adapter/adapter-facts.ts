import type { AdapterFacts } from '../../types/weights.ts';
import { roleOf } from '../canonical/index.ts';
import type { RawTensor } from '../raw-tensor.ts';
import { mostCommon } from '../summarise.ts';
import { type Factor, type FactorPart, parseFactorName } from './factor-names.ts';

export interface ParsedAdapter {
  family: 'llama' | 'stable-diffusion' | null;
  type: AdapterFacts['type'];
  rank: number | null;
  targets: string[];
  targetShapes: Record<string, [number, number]>;
  /** the scalars `<module>.alpha`, for who wants to read one */
  alphas: RawTensor[];
  notes: string[];
}

/** Everything about an adapter that names and shapes tell. `family` is null when no target is of a Llama or a UNet. */
export function parseAdapter(tensors: readonly RawTensor[]): ParsedAdapter {
  const modules = new Map<string, { factor: Factor; parts: Map<FactorPart, readonly number[]> }>();
  const alphas: RawTensor[] = [];
  const schemes = new Map<Factor['scheme'], number>();
  let strangers = 0;
  for (const tensor of tensors) {
    const factor = parseFactorName(tensor.name);
    if (factor === null) {
      strangers++;
      continue;
    }
    if (factor.part === 'alpha') alphas.push(tensor);
    else schemes.set(factor.scheme, (schemes.get(factor.scheme) ?? 0) + 1);
    const entry = modules.get(factor.module) ?? { factor, parts: new Map() };
    entry.parts.set(factor.part, tensor.shape);
    modules.set(factor.module, entry);
  }
  const counts = { llama: 0, unet: 0, 'text-encoder': 0, unknown: 0 };
  const targetShapes: Record<string, [number, number]> = {};
  const targets = new Set<string>();
  const ranks: number[] = [];
  for (const { factor, parts } of modules.values()) {
    counts[factor.place.component]++;
    const rank = rankOf(parts);
    if (rank !== null) ranks.push(rank);
    if (factor.place.target === null) continue;
    targets.add(roleOf(factor.place.target).replace(/\.weight$/, ''));
    const shape = shapeOf(parts);
    if (shape !== null) targetShapes[factor.place.target] = shape;
  }
  const notes: string[] = [];
  if (counts['text-encoder'] > 0)
    notes.push(`${counts['text-encoder']} modules of the text encoder are adapted too`);
  if (counts.unknown > 0) notes.push(`${counts.unknown} adapted modules have no canonical name`);
  if (strangers > 0) notes.push(`${strangers} tensors beside the adapter's factors`);
  return {
    family:
      counts.llama + counts.unet === 0 ? null : counts.llama >= counts.unet ? 'llama' : 'stable-diffusion',
    type: typeOf(schemes),
    rank: mostCommon(ranks),
    targets: [...targets].sort(),
    targetShapes: Object.fromEntries(Object.entries(targetShapes).sort(([a], [b]) => (a < b ? -1 : 1))),
    alphas,
    notes,
  };
}

function typeOf(schemes: ReadonlyMap<Factor['scheme'], number>): AdapterFacts['type'] {
  if (schemes.has('lycoris')) return 'lycoris';
  return [...schemes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'peft';
}

type Parts = ReadonlyMap<FactorPart, readonly number[]>;

function rankOf(parts: Parts): number | null {
  return (
    parts.get('down')?.[0] ??
    parts.get('hada_w1_b')?.[0] ??
    parts.get('lokr_w2_b')?.[0] ??
    parts.get('lokr_w1_b')?.[0] ??
    null
  );
}

/**
 * [out, in] of the weight the factors change. LoRA: up [out, r], down [r, in] (convolutions carry kernel dims behind). LoHa: w1_a [out, r],
 * w1_b [r, in]. LoKr is a Kronecker product, so both sides multiply.
 */
function shapeOf(parts: Parts): [number, number] | null {
  const up = parts.get('up') ?? parts.get('hada_w1_a');
  const down = parts.get('down') ?? parts.get('hada_w1_b');
  if (up !== undefined && down !== undefined) return toPair(up[0], down[1]);
  const side = (whole: FactorPart, a: FactorPart, b: FactorPart): [number, number] | null => {
    const shape = parts.get(whole);
    if (shape !== undefined) return toPair(shape[0], shape[1]);
    return toPair(parts.get(a)?.[0], parts.get(b)?.[1]);
  };
  const first = side('lokr_w1', 'lokr_w1_a', 'lokr_w1_b');
  const second = side('lokr_w2', 'lokr_w2_a', 'lokr_w2_b');
  return first === null || second === null ? null : [first[0] * second[0], first[1] * second[1]];
}

function toPair(a: number | undefined, b: number | undefined): [number, number] | null {
  return a === undefined || b === undefined ? null : [a, b];
}
