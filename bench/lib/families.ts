/**
 * Generated families with known lineage: sampled weights grown from random roots by the steps people take
 * (tune, adapt, merge, quantise, cast, re-upload, stack, prune, hide, delete). Every child starts from its parent's stored values.
 * The recipe follows the simulations this method was designed on: siblings share a common direction, steps spread over
 * three decades, some children shrink, some timestamps are wrong.
 */
import { hashValues } from '../../src/fingerprint/hash.ts';
import { computeStats } from '../../src/fingerprint/stats.ts';
import type { PositionsOf } from '../../src/lineage/index.ts';
import { createNormal, createRandom } from '../../src/lineage/numeric/random.ts';
import type { TensorSample } from '../../src/types/fingerprint.ts';
import type { LineageModel, Relation } from '../../src/types/lineage.ts';
import { createLlamaSummary } from '../../test/lib/llama-summary.ts';
import { roundToFormat, type StoredFormat } from './formats.ts';
import { roundTripBlocks } from './ggml-round-trip.ts';

export interface FamiliesOptions {
  seed: number;
  families: number;
  /** models a family, root included */
  size: number;
  /** values a matrix */
  valuesPerTensor: number;
  layers?: number;
  hidden?: number;
  /** median relative step and standard deviation of its logarithm */
  step?: number;
  stepSpread?: number;
  /** squared cosine of siblings' steps */
  siblingCosine?: number;
  /** exponent of preferential attachment: 1.5 hub-like, 0 deep */
  attachment?: number;
  /** shares of what is made besides plain fine-tunes; zero switches one off */
  shares?: Partial<Record<Special, number>>;
  /** share of wrong timestamps */
  wrongTimes?: number;
  /** share of families whose root is missing from the index */
  missingRoots?: number;
  /** may merges be parents of merges? */
  nestedMerges?: boolean;
}

export type Special =
  | 'duplicate'
  | 'cast'
  | 'quantized'
  | 'merge'
  | 'upscaled'
  | 'pruned'
  | 'transformed'
  | 'adapter';

export interface TrueParents {
  parents: string[];
  relation: Relation | 'root';
  /** relative change to the parent, where it is one number */
  step: number | null;
  detail: string;
}

export interface GeneratedHub {
  models: LineageModel[];
  samples: Map<string, TensorSample[]>;
  truth: Map<string, TrueParents>;
}

/** A model while it is being grown: its tensors by name, how it is stored, and what it may still become. */
interface Grown {
  repo: string;
  tensors: Map<string, TensorSample>;
  format: StoredFormat;
  vocab: number;
  layers: number;
  createdAt: number;
  children: number;
  leaf: boolean;
  fresh: boolean;
  quantized: string | null;
}

const DAY = 86_400_000;
const TOKEN_ROWS = 16;
/** Shares that leave nothing but plain fine-tunes. */
export const ONLY_FINETUNES: Readonly<Record<Special, number>> = {
  duplicate: 0,
  cast: 0,
  quantized: 0,
  merge: 0,
  upscaled: 0,
  pruned: 0,
  transformed: 0,
  adapter: 0,
};
const DEFAULT_SHARES: Record<Special, number> = {
  duplicate: 0.05,
  cast: 0.05,
  quantized: 0.08,
  merge: 0.08,
  upscaled: 0.02,
  pruned: 0.02,
  transformed: 0.02,
  adapter: 0.02,
};

const MATRICES: [role: string, std: number][] = [
  ['self_attn.q_proj.weight', 0.05],
  ['self_attn.k_proj.weight', 0.06],
  ['self_attn.v_proj.weight', 0.03],
  ['self_attn.o_proj.weight', 0.03],
  ['mlp.gate_proj.weight', 0.035],
  ['mlp.up_proj.weight', 0.035],
  ['mlp.down_proj.weight', 0.03],
];

/** Grows `families` unrelated families of one shape; the whole hub is a function of the options. */
export function generateFamilies(options: FamiliesOptions): GeneratedHub {
  const {
    layers = 4,
    hidden = 64,
    step = 0.015,
    stepSpread = 1,
    siblingCosine = 0.05,
    attachment = 1.5,
    wrongTimes = 0.003,
    missingRoots = 0,
  } = options;
  const random = createRandom(options.seed);
  const normal = createNormal(random);
  const shares = { ...DEFAULT_SHARES, ...options.shares };
  const hub: GeneratedHub = { models: [], samples: new Map(), truth: new Map() };
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;

  const sample = (name: string, role: string, layer: number | null, shape: number[], values: Float32Array) =>
    ({
      name,
      role,
      layer,
      shape,
      dtype: 'BF16',
      encoding: 'plain',
      values,
      stats: computeStats(values),
      hash: '',
    }) satisfies TensorSample;

  function growRoot(family: number, format: StoredFormat): Map<string, TensorSample> {
    const tensors = new Map<string, TensorSample>();
    const matrix = (
      name: string,
      role: string,
      layer: number | null,
      std: number,
      shape: number[],
      count: number,
    ) => {
      const spread = std * Math.exp(0.2 * normal());
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = spread * normal();
      tensors.set(name, sample(name, role, layer, shape, values));
    };
    const gains = (name: string, role: string, layer: number | null) => {
      const level = 0.6 + random();
      const values = Float32Array.from({ length: hidden }, () => level * Math.exp(0.15 * normal()));
      tensors.set(name, sample(name, role, layer, [hidden], values));
    };
    const tokens = TOKEN_ROWS * Math.max(2, Math.round(options.valuesPerTensor / TOKEN_ROWS));
    for (const name of ['model.embed_tokens.weight', 'lm_head.weight'])
      matrix(name, name.replace('model.', ''), null, 0.04, [256, hidden], tokens);
    for (let layer = 0; layer < layers; layer++) {
      for (const [role, std] of MATRICES)
        matrix(`model.layers.${layer}.${role}`, role, layer, std, [hidden, hidden], options.valuesPerTensor);
      for (const role of ['input_layernorm.weight', 'post_attention_layernorm.weight'])
        gains(`model.layers.${layer}.${role}`, role, layer);
    }
    gains('model.norm.weight', 'norm.weight', null);
    for (const tensor of tensors.values()) store(tensor, format);
    void family;
    return tensors;
  }

  function store(tensor: TensorSample, format: StoredFormat): void {
    roundToFormat(tensor.values, format);
    tensor.dtype = format;
    tensor.stats = computeStats(tensor.values);
    tensor.hash = hashValues(tensor.values);
  }

  function clone(model: Map<string, TensorSample>): Map<string, TensorSample> {
    return new Map([...model].map(([name, t]) => [name, { ...t, values: t.values.slice() }]));
  }

  /** Steps every touched tensor: relative size r on average, rows of unequal size, a part of it shared by the family. */
  function tune(
    tensors: Map<string, TensorSample>,
    common: ReadonlyMap<string, Float32Array>,
    r: number,
    recipe: 'full' | 'lora-qv' | 'lora-all' | 'attention' | 'partly',
    shrink: number,
    format: StoredFormat,
  ): void {
    const shareOfCommon = Math.sqrt(siblingCosine);
    for (const tensor of tensors.values()) {
      const attention = /self_attn\.[qv]_proj/.test(tensor.name);
      const touched =
        recipe === 'full' ||
        (recipe === 'lora-qv' && attention) ||
        (recipe === 'lora-all' && tensor.layer !== null && tensor.shape.length === 2) ||
        (recipe === 'attention' && /self_attn/.test(tensor.name)) ||
        (recipe === 'partly' && (tensor.layer ?? 99) >= layers / 2);
      if (touched) {
        const size = r * Math.exp(0.5 * normal()) * rms(tensor.values);
        const shared = common.get(tensor.name);
        const columns = Math.min(hidden, tensor.values.length);
        const lowRank = recipe.startsWith('lora') ? lowRankStep(tensor.values.length, columns, 4) : null;
        let row = 1;
        for (let i = 0; i < tensor.values.length; i++) {
          if (i % columns === 0) row = Math.exp(0.5 * normal() - 0.25);
          const own = lowRank ? lowRank[i]! : row * normal();
          const common_i = shared?.[i] ?? 0;
          const value = tensor.values[i]!;
          tensor.values[i] =
            value * (1 - shrink) + size * (Math.sqrt(1 - siblingCosine) * own + shareOfCommon * common_i);
        }
      }
      store(tensor, format);
    }
  }

  function lowRankStep(count: number, columns: number, rank: number): Float32Array {
    const out = new Float32Array(count);
    for (let k = 0; k < rank; k++) {
      const right = Float32Array.from({ length: columns }, normal);
      for (let row = 0; row * columns < count; row++) {
        const left = normal() / Math.sqrt(rank);
        for (let c = 0; c < columns && row * columns + c < count; c++)
          out[row * columns + c]! += left * right[c]!;
      }
    }
    return out;
  }

  for (let family = 0; family < options.families; family++) {
    const start = Date.UTC(2023, 0, 1) + family * 3 * DAY;
    const rootFormat: StoredFormat = pick(['BF16', 'BF16', 'F16', 'F32']);
    const root: Grown = {
      repo: `lab-${family}/base-${family}`,
      tensors: growRoot(family, rootFormat),
      format: rootFormat,
      vocab: 256,
      layers,
      createdAt: start,
      children: 0,
      leaf: false,
      fresh: true,
      quantized: null,
    };
    const common = new Map(
      [...root.tensors].map(([name, t]) => [name, Float32Array.from(t.values, () => normal())]),
    );
    const grown: Grown[] = [root];
    hub.truth.set(root.repo, { parents: [], relation: 'root', step: null, detail: rootFormat });

    let now = start;
    for (let i = 1; i < options.size; i++) {
      const candidates = grown.filter((m) => !m.leaf && m.layers === layers);
      const weights = candidates.map((m) => (1 + m.children) ** attachment);
      const parent = weightedPick(candidates, weights, random);
      const repo = `user-${Math.floor(random() * 40)}/m${family}-${i}`;
      now += DAY * (0.5 + random());
      const createdAt = now;
      const kind = chooseSpecial(shares, random);
      const child: Grown = {
        ...parent,
        repo,
        createdAt,
        children: 0,
        tensors: clone(parent.tensors),
        leaf: false,
        fresh: false,
      };
      let truth: TrueParents = { parents: [parent.repo], relation: 'finetune', step: null, detail: '' };
      const r = Math.min(0.3, step * Math.exp(stepSpread * normal()));

      if (kind === 'duplicate') {
        truth = { ...truth, relation: 'duplicate', step: 0 };
        child.leaf = true;
      } else if (kind === 'cast') {
        const target = pick((['F32', 'F16', 'BF16'] as const).filter((f) => f !== parent.format));
        for (const t of child.tensors.values()) store(t, target);
        child.format = target;
        child.leaf = true;
        truth = { ...truth, relation: 'cast', step: 0, detail: target };
      } else if (kind === 'quantized') {
        const type = pick(['Q8_0', 'Q4_0'] as const);
        for (const t of child.tensors.values())
          if (t.shape.length === 2) {
            t.values = roundTripBlocks[type](t.values);
            t.encoding = type;
            t.stats = computeStats(t.values);
            t.hash = hashValues(t.values);
          }
        child.quantized = type;
        child.leaf = true;
        truth = { ...truth, relation: 'quantized', step: type === 'Q8_0' ? 0.005 : 0.086, detail: type };
      } else if (
        kind === 'merge' &&
        grown.filter((m) => m.fresh && m.vocab === 256 && m.layers === layers).length >= 3
      ) {
        const pool = shuffled(
          grown.filter((m) => m.fresh && m.vocab === 256 && m.layers === layers),
          random,
        );
        const style = pick(['linear', 'linear3', 'slerp', 'task', 'ties', 'dare'] as const);
        const chosen = pool.slice(0, style === 'linear3' ? 3 : 2);
        mergeInto(child, root, chosen, style);
        child.format = 'BF16';
        for (const t of child.tensors.values()) store(t, 'BF16');
        child.fresh = options.nestedMerges ?? false;
        child.layers = layers;
        child.vocab = 256;
        child.quantized = null;
        truth = { parents: chosen.map((m) => m.repo), relation: 'merge', step: null, detail: style };
      } else if (kind === 'upscaled' || kind === 'pruned') {
        const map =
          kind === 'upscaled'
            ? [...Array(layers - 1).keys(), ...Array.from({ length: layers - 1 }, (_, k) => k + 1)]
            : [...Array(layers).keys()].filter((l) => l !== Math.floor(layers / 2));
        child.tensors = mapLayers(parent.tensors, map);
        child.layers = map.length;
        tune(child.tensors, new Map(), Math.min(r, 0.03), 'full', 0, child.format);
        truth = { ...truth, relation: kind, step: r, detail: map.join(',') };
      } else if (kind === 'transformed') {
        permuteUnits(child.tensors, random() < 0.5 ? 0 : 0.002);
        for (const t of child.tensors.values()) store(t, child.format);
        child.leaf = true;
        truth = { ...truth, relation: 'transformed', step: 0, detail: 'permuted' };
      } else if (kind === 'adapter') {
        child.leaf = true;
        truth = { ...truth, relation: 'adapter', step: null };
        hub.truth.set(repo, truth);
        hub.models.push(adapterModel(child, hidden, layers));
        continue;
      } else {
        const recipe = pick(['full', 'full', 'full', 'lora-qv', 'lora-all', 'attention', 'partly'] as const);
        const shrink = (random() < 0.2 ? 2 : 0.2) * ((r * r) / 2);
        if (random() < 0.2) child.format = pick(['BF16', 'F16', 'F32'] as const);
        if (random() < 0.07) growVocabulary(child, 1 + Math.floor(random() * 8));
        tune(child.tensors, common, r, recipe, shrink, child.format);
        child.fresh = true;
        truth = { ...truth, step: r, detail: recipe };
      }
      parent.children++;
      grown.push(child);
      hub.truth.set(repo, truth);
    }

    const missing = random() < missingRoots;
    for (const model of grown) {
      if (missing && model === root) {
        hub.truth.delete(model.repo);
        continue;
      }
      if (random() < wrongTimes) model.createdAt += 200 * DAY;
      const tensors = [...model.tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      hub.samples.set(model.repo, tensors);
      hub.models.push(fullModel(model, tensors, hidden));
    }
  }
  return hub;

  function mergeInto(child: Grown, root: Grown, parents: Grown[], style: string): void {
    child.tensors = clone(root.tensors);
    const shares =
      style === 'linear3'
        ? [0.5, 0.3, 0.2]
        : style === 'task'
          ? [0.7, 0.6]
          : style === 'linear'
            ? [0.6, 0.4]
            : [0.5, 0.5];
    for (const [name, tensor] of child.tensors) {
      const base = root.tensors.get(name)!.values;
      const deltas = parents.map((p) => {
        const values = p.tensors.get(name)!.values;
        return Float64Array.from(base, (b, i) => values[i]! - b);
      });
      if (style === 'slerp') {
        slerp(tensor.values, parents[0]!.tensors.get(name)!.values, parents[1]!.tensors.get(name)!.values);
        continue;
      }
      if (style === 'dare')
        for (const d of deltas) for (let i = 0; i < d.length; i++) d[i] = random() < 0.5 ? 0 : d[i]! * 2;
      if (style === 'ties') trimAndElect(deltas);
      for (let i = 0; i < base.length; i++)
        tensor.values[i] = base[i]! + deltas.reduce((sum, d, k) => sum + shares[k]! * d[i]!, 0);
    }
  }

  function slerp(out: Float32Array, a: Float32Array, b: Float32Array): void {
    let dot = 0;
    let aa = 0;
    let bb = 0;
    for (let i = 0; i < a.length; i++) {
      dot += a[i]! * b[i]!;
      aa += a[i]! ** 2;
      bb += b[i]! ** 2;
    }
    const angle = Math.acos(Math.min(1, dot / Math.sqrt(aa * bb || 1)));
    const w = angle < 1e-4 ? 0.5 : Math.sin(angle / 2) / Math.sin(angle);
    for (let i = 0; i < a.length; i++) out[i] = w * a[i]! + w * b[i]!;
  }

  function permuteUnits(tensors: Map<string, TensorSample>, noise: number): void {
    const order = shuffled([...Array(hidden).keys()], random);
    for (const tensor of tensors.values()) {
      const source = tensor.values.slice();
      const width = tensor.shape.length === 1 ? hidden : Math.min(hidden, source.length);
      // Rows of o_proj, down_proj, gate and up move too: what was sampled there is no longer at its place.
      const rowsMove = /o_proj|down_proj|gate_proj|up_proj/.test(tensor.name);
      const spread = rms(source);
      for (let i = 0; i < source.length; i++) {
        const row = Math.floor(i / width) * width;
        const value = rowsMove ? spread * normal() : (source[row + order[i % width]!] ?? source[i]!);
        tensor.values[i] = value * (1 + noise * normal());
      }
    }
  }

  function growVocabulary(model: Grown, added: number): void {
    model.vocab += added;
    for (const name of ['model.embed_tokens.weight', 'lm_head.weight']) {
      const t = model.tensors.get(name)!;
      model.tensors.set(name, { ...t, shape: [model.vocab, hidden] });
    }
  }
}

function mapLayers(tensors: Map<string, TensorSample>, map: readonly number[]): Map<string, TensorSample> {
  const out = new Map<string, TensorSample>();
  for (const [name, t] of tensors) if (t.layer === null) out.set(name, { ...t, values: t.values.slice() });
  map.forEach((from, to) => {
    for (const [name, t] of tensors)
      if (t.layer === from) {
        const renamed = name.replace(`layers.${from}.`, `layers.${to}.`);
        out.set(renamed, { ...t, name: renamed, layer: to, values: t.values.slice() });
      }
  });
  return out;
}

/** TIES: keep each delta's largest 20 %, drop values whose sign loses the vote by mass. */
function trimAndElect(deltas: Float64Array[]): void {
  for (const d of deltas) {
    const sorted = Float64Array.from(d, Math.abs).sort();
    const cut = sorted[Math.floor(sorted.length * 0.8)] ?? 0;
    for (let i = 0; i < d.length; i++) if (Math.abs(d[i]!) < cut) d[i] = 0;
  }
  for (let i = 0; i < (deltas[0]?.length ?? 0); i++) {
    const mass = deltas.reduce((sum, d) => sum + d[i]!, 0);
    for (const d of deltas) if (d[i]! * mass < 0) d[i] = 0;
  }
}

function fullModel(model: Grown, tensors: TensorSample[], hidden: number): LineageModel {
  const core = coreOf(tensors);
  const identity = tensors.map((t) => t.hash).join('');
  const fingerprint = createLlamaSummary({
    format: model.quantized ? 'gguf' : 'safetensors',
    dtype: model.quantized ?? model.format,
    quantized: model.quantized !== null,
    params: 1e6,
    widths: {
      hidden,
      intermediate: hidden,
      heads: 4,
      kvHeads: 4,
      headDim: hidden / 4,
      layers: model.layers,
      vocab: model.vocab,
    },
    core,
    coreKey: `llama-${hidden}-${model.layers}-1`,
    files: [
      {
        path: 'model.safetensors',
        size: 1e6,
        sha256: hashOfText(identity + model.format + (model.quantized === null ? '' : model.repo)),
      },
    ],
  });
  return { repo: model.repo, owner: model.repo.split('/')[0]!, createdAt: model.createdAt, fingerprint };
}

function adapterModel(model: Grown, hidden: number, layers: number): LineageModel {
  const base = fullModel(model, [...model.tensors.values()], hidden);
  const targetShapes: Record<string, [number, number]> = {};
  for (let layer = 0; layer < layers; layer++)
    for (const p of ['q', 'v'])
      targetShapes[`model.layers.${layer}.self_attn.${p}_proj.weight`] = [hidden, hidden];
  return {
    ...base,
    fingerprint: {
      ...base.fingerprint,
      kind: 'adapter',
      format: 'peft',
      core: new Float32Array(0),
      coreKey: '',
      files: [{ path: 'adapter_model.safetensors', size: 1000, sha256: hashOfText(model.repo) }],
      adapter: {
        type: 'peft',
        rank: 8,
        alpha: 16,
        targets: ['self_attn.q_proj', 'self_attn.v_proj'],
        targetShapes,
      },
    },
  };
}

/** Evenly drawn values over all matrices, about 4,096 of them. */
function coreOf(tensors: TensorSample[]): Float32Array {
  const matrices = tensors.filter((t) => t.shape.length === 2);
  const each = Math.max(1, Math.floor(4096 / matrices.length));
  return Float32Array.from(
    matrices.flatMap((t) => Array.from(t.values.subarray(0, Math.min(each, t.values.length)))),
  );
}

function rms(values: Float32Array): number {
  let sum = 0;
  for (const v of values) sum += v * v;
  return Math.sqrt(sum / (values.length || 1));
}

function weightedPick<T>(items: readonly T[], weights: readonly number[], random: () => number): T {
  let left = random() * weights.reduce((a, b) => a + b, 0);
  for (let i = 0; i < items.length; i++) {
    left -= weights[i]!;
    if (left <= 0) return items[i]!;
  }
  return items.at(-1)!;
}

function shuffled<T>(items: T[], random: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

function chooseSpecial(shares: Record<Special, number>, random: () => number): Special | null {
  let left = random();
  for (const [kind, share] of Object.entries(shares) as [Special, number][]) {
    left -= share;
    if (left < 0) return kind;
  }
  return null;
}

function hashOfText(text: string): string {
  let h1 = 0x811c9dc5;
  let h2 = 0x1b873593;
  for (let i = 0; i < text.length; i++) {
    h1 = Math.imul(h1 ^ text.charCodeAt(i), 0x01000193);
    h2 = Math.imul(h2 ^ text.charCodeAt(i), 0x85ebca6b);
  }
  return ((h1 >>> 0).toString(16).padStart(8, '0') + (h2 >>> 0).toString(16).padStart(8, '0')).repeat(4);
}

/** Which rows and columns the values of a generated matrix stand for: rows of 64, one after the other; none for vectors. */
export function positionsOfGenerated(valuesPerTensor: number): PositionsOf {
  const count = valuesPerTensor;
  return (_, shape) =>
    shape.length < 2
      ? null
      : {
          rows: Int32Array.from({ length: count }, (_, i) => Math.floor(i / 64)),
          cols: Int32Array.from({ length: count }, (_, i) => i % 64),
        };
}
