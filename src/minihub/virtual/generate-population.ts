import type { Member, PopulationTruth } from './declare-parents.ts';
import { declareParents } from './declare-parents.ts';
import type { VirtualContainer, VirtualDtype, VirtualModel, VirtualShape, VirtualSpec } from './model.ts';
import { addNoise, toNoiseKey } from './noise.ts';

export interface GenerateOptions {
  /** repos in all */
  count: number;
  seed: number;
  /** shares of families by shape; default a mix of 7B, 8B, 70B, 1B, SD 1.5 and XL */
  shapes?: Partial<Record<VirtualShape, number>>;
  /** share of repos without any weights; 0.19 as on the Hub */
  noWeights?: number;
  /** share of families whose root is gated, most of them with an open copy; 0.2 */
  gatedRoots?: number;
  /** repos a family, on average; 40 */
  familySize?: number;
  /** share of repos listed as changed the next night; 0.01 */
  changed?: number;
}

export interface Population {
  spec: VirtualSpec;
  truth: Record<string, PopulationTruth>;
  /** repos whose README changes before the next night, weights untouched */
  readmeChanges: string[];
}

const DEFAULT_SHAPES: Partial<Record<VirtualShape, number>> = {
  'llama-7b': 0.25,
  'llama-8b': 0.3,
  'llama-70b': 0.1,
  'llama-1b': 0.1,
  'sd-1.5': 0.15,
  sdxl: 0.1,
};
const OWNERS = [
  'heron',
  'lattice-ai',
  'moss',
  'quill',
  'northgate',
  'ember-lab',
  'tidepool',
  'ochre',
  'fable',
  'kiln',
];
const FLAVOURS = ['chat', 'instruct', 'code', 'math', 'story', 'medic', 'legal', 'roleplay', 'dpo', 'style'];
const START_MS = Date.UTC(2023, 1, 1);

/**
 * Families as they are on the Hub: a few roots that most things hang from, chains, copies, casts, quantisations,
 * adapters, merges, repos without weights, and cards that tell the truth about it or not. Decided by the seed alone.
 */
export function generatePopulation(options: GenerateOptions): Population {
  const random = createRandom(options.seed);
  const models: VirtualModel[] = [];
  const truth: Record<string, PopulationTruth> = {};
  const familySize = options.familySize ?? 40;
  const familyCount = Math.max(1, Math.round(options.count / familySize));
  const families = Array.from({ length: familyCount }, (_, n) => {
    const shape = pickShape(options.shapes ?? DEFAULT_SHAPES, random());
    return { shape, name: `${shape}-${n}`, members: [] as Member[] };
  });
  const roots: string[] = [];
  const add = (family: (typeof families)[number], model: VirtualModel, depth: number, full: boolean) => {
    const createdAt = new Date(START_MS + models.length * 600_000).toISOString();
    models.push({
      ...model,
      createdAt,
      downloads: Math.floor(10 ** (5 * random())),
      likes: Math.floor(100 * random()),
    });
    family.members.push({ model, depth, full });
  };
  for (const [n, family] of families.entries()) {
    if (models.length >= options.count) break;
    const owner = OWNERS[n % OWNERS.length]!;
    const id = `${owner}/${family.name}`;
    const gated = random() < (options.gatedRoots ?? 0.2);
    const root: VirtualModel = {
      id,
      shape: family.shape,
      relation: 'root',
      dtype: isUnet(family.shape) ? 'F16' : 'BF16',
      container: rootContainer(family.shape),
      ...(gated ? { gated: 'manual' as const } : {}),
    };
    add(family, root, 0, true);
    roots.push(id);
    truth[id] = toTruth(root, 'none', []);
    if (gated && random() < 0.8 && models.length < options.count) {
      const copy: VirtualModel = {
        id: `${OWNERS[(n + 1) % OWNERS.length]}/${family.name}-copy`,
        shape: family.shape,
        relation: 'duplicate',
        parents: [id],
      };
      add(family, copy, 1, false);
      truth[copy.id] = toTruth(copy, 'missing', []);
    }
  }
  for (let serial = 0; models.length < options.count; serial++) {
    const family = families[Math.floor(random() * families.length)]!;
    const made = makeMember(family, serial, random, options.noWeights ?? 0.19);
    const declared = declareParents(made.model, family.members, roots, random);
    const model: VirtualModel = { ...made.model, ...declared.card };
    add(family, model, made.depth, made.full);
    truth[model.id] = toTruth(model, declared.status, declared.names);
  }
  const readmeChanges = models
    .filter(({ gated }) => !gated)
    .filter(() => random() < (options.changed ?? 0.01))
    .map(({ id }) => id);
  return { spec: { seed: options.seed, models }, truth, readmeChanges };
}

function makeMember(
  family: { shape: VirtualShape; name: string; members: Member[] },
  serial: number,
  random: () => number,
  noWeights: number,
): Member {
  const full = family.members.filter((member) => member.full);
  // most hang from the root, some from anywhere, some continue the latest
  const where = random();
  const parent =
    where < 0.55 ? full[0]! : where < 0.85 ? full[Math.floor(random() * full.length)]! : full.at(-1)!;
  const name = `${family.name}-${FLAVOURS[Math.floor(random() * FLAVOURS.length)]}-${serial}`;
  const base = { id: `${OWNERS[Math.floor(random() * OWNERS.length)]}/${name}`, shape: family.shape };
  const dtype: VirtualDtype = parent.model.dtype ?? 'BF16';
  const depth = parent.depth + 1;
  const parents = [parent.model.id];
  if (random() < noWeights) {
    return {
      model: { ...base, relation: 'finetune', parents, container: 'none', dtype },
      depth,
      full: false,
    };
  }
  const unet = isUnet(family.shape);
  // nobody quantises a UNet to GGUF here, nor writes PEFT adapters for it
  const kind = unet ? 0.33 + 0.67 * random() : random();
  if (!unet && kind < 0.18) {
    const ggufTypes = random() < 0.5 ? (['Q8_0'] as const) : (['Q4_0', 'Q8_0'] as const);
    return {
      model: {
        ...base,
        id: `${base.id}-GGUF`,
        relation: 'quantized',
        parents,
        container: 'gguf',
        ggufTypes: [...ggufTypes],
        dtype,
      },
      depth,
      full: false,
    };
  }
  if (!unet && kind < 0.33) {
    return {
      model: {
        ...base,
        id: `${base.id}-lora`,
        relation: 'adapter',
        parents,
        container: 'peft',
        rank: 16,
        dtype: 'F32',
      },
      depth,
      full: false,
    };
  }
  if (kind < 0.38) {
    const cast: VirtualDtype = dtype === 'F16' ? 'F32' : 'F16';
    return {
      model: {
        ...base,
        id: `${base.id}-${cast.toLowerCase()}`,
        relation: 'cast',
        parents,
        dtype: cast,
        container: rootContainer(family.shape),
      },
      depth,
      full: false,
    };
  }
  if (kind < 0.43) return { model: { ...base, relation: 'duplicate', parents }, depth, full: false };
  if (kind < 0.48 && full.length >= 3) {
    const others = full.filter((member) => member !== parent && member.depth > 0);
    const other = others[Math.floor(random() * others.length)];
    if (other !== undefined && parent.depth > 0) {
      const both = [parent.model.id, other.model.id];
      return {
        model: {
          ...base,
          id: `${base.id}-merge`,
          relation: 'merge',
          parents: both,
          weights: [0.5, 0.5],
          dtype,
          container: rootContainer(family.shape),
        },
        depth: depth,
        full: false,
      };
    }
  }
  // relative changes from 0.3 % to 10 %, as fine-tuning leaves them
  const delta = 0.003 * (0.1 / 0.003) ** random();
  const container = childContainer(family.shape, random());
  return { model: { ...base, relation: 'finetune', parents, delta, dtype, container }, depth, full: true };
}

function toTruth(
  model: VirtualModel,
  status: PopulationTruth['declared_status'],
  declared: string[],
): PopulationTruth {
  return {
    parents: model.parents ?? [],
    relation: model.container === 'none' ? 'none' : model.relation,
    arch: isUnet(model.shape) ? 'unet' : 'llama',
    declared,
    declared_relation: model.baseModelRelation ?? null,
    declared_status: status,
    dtype: (model.dtype ?? 'BF16').toLowerCase(),
    format: model.container ?? 'safetensors',
  };
}

const isUnet = (shape: VirtualShape) => shape.startsWith('sd');

function rootContainer(shape: VirtualShape): VirtualContainer {
  if (isUnet(shape)) return 'diffusers';
  return shape === 'llama-1b' || shape === 'llama-tiny' ? 'safetensors' : 'safetensors-sharded';
}

function childContainer(shape: VirtualShape, chance: number): VirtualContainer {
  if (isUnet(shape)) return chance < 0.55 ? 'diffusers' : chance < 0.9 ? 'single-file' : 'ckpt';
  return chance < 0.12 ? 'bin' : rootContainer(shape);
}

function pickShape(shares: Partial<Record<VirtualShape, number>>, chance: number): VirtualShape {
  const entries = Object.entries(shares) as [VirtualShape, number][];
  const total = entries.reduce((sum, [, share]) => sum + share, 0);
  let left = chance * total;
  for (const [shape, share] of entries) {
    left -= share;
    if (left < 0) return shape;
  }
  return entries.at(-1)?.[0] ?? 'llama-8b';
}

/** 0 <= x < 1; the noise of the weights, read one value at a time and folded into a fraction. */
function createRandom(seed: number): () => number {
  const key = toNoiseKey(`population ${seed}`);
  const one = new Float32Array(1);
  let index = 0;
  return () => {
    one[0] = 0;
    addNoise(one, index++, key, 1e6);
    return Math.abs(one[0] % 1000) / 1000;
  };
}
