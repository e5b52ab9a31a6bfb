import { createHash } from 'node:crypto';
import { HublineageError } from '../../types/errors.ts';
import { createTextFile } from '../repos/bytes-file.ts';
import { toCommitSha } from '../repos/identity.ts';
import type { RepoFile, RepoSeed } from '../repos/record.ts';
import type { VirtualDtype, VirtualModel, VirtualSpec } from './model.ts';
import { planModel } from './plan-model.ts';
import type { Recipe } from './values.ts';
import { createVirtualFile } from './virtual-file.ts';

const DEFAULT_DELTA = 0.02;
/** Creation of the first model of a spec that names no dates; the others follow a day apart. */
const FIRST_CREATED_AT = Date.UTC(2023, 6, 1);
const DAY_MS = 86_400_000;

/**
 * Repos whose weights are computed on the fly: same spec, same bytes. Parents come before their children in the list;
 * UsageInvalid names the model that breaks a rule.
 */
export function createVirtualRepos(spec: VirtualSpec): RepoSeed[] {
  const recipes = new Map<string, Recipe>();
  const models = new Map<string, VirtualModel>();
  return spec.models.map((given, position) => {
    const model = withContainer(given);
    const source = model.relation === 'duplicate' ? sourceOf(model, models) : model;
    const recipe = toRecipe(spec.seed, model, recipes);
    recipes.set(model.id, recipe);
    models.set(model.id, { ...source, id: model.id });
    const createdAt = model.createdAt ?? new Date(FIRST_CREATED_AT + position * DAY_MS).toISOString();
    return toSeed(model, source, recipe, createdAt);
  });
}

function withContainer(model: VirtualModel): VirtualModel {
  if (model.container !== undefined || model.relation === 'duplicate') return model;
  if (model.relation === 'quantized') return { ...model, container: 'gguf' };
  if (model.relation === 'adapter') return { ...model, container: 'peft' };
  return { ...model, container: model.shape.startsWith('sd') ? 'diffusers' : 'safetensors' };
}

/** A copy has its parent's files, names and all, unless it says otherwise. */
function sourceOf(model: VirtualModel, models: ReadonlyMap<string, VirtualModel>): VirtualModel {
  const parent = models.get(model.parents?.[0] ?? '');
  if (parent === undefined) throw invalid(model, 'copies a model that is not before it in the list');
  const { container, dtype, ggufTypes, maxShardBytes, rank } = { ...parent, ...model };
  return {
    ...model,
    id: container === 'gguf' || container === 'single-file' || container === 'ckpt' ? parent.id : model.id,
    shape: parent.shape,
    ...(container === undefined ? {} : { container }),
    ...(dtype === undefined ? {} : { dtype }),
    ...(ggufTypes === undefined ? {} : { ggufTypes }),
    ...(maxShardBytes === undefined ? {} : { maxShardBytes }),
    ...(rank === undefined ? {} : { rank }),
  };
}

function toRecipe(seed: number, model: VirtualModel, recipes: ReadonlyMap<string, Recipe>): Recipe {
  const parents = (model.parents ?? []).map((id) => {
    const recipe = recipes.get(id);
    if (recipe === undefined) throw invalid(model, `descends from ${id}, which is not before it in the list`);
    return recipe;
  });
  const dtype: VirtualDtype = model.dtype ?? parents[0]?.dtype ?? 'BF16';
  const key = createHash('sha1').update(`${seed} ${model.id}`).digest('hex');
  const [first] = parents;
  if (model.relation === 'root' || model.relation === 'adapter') {
    // an adapter's factors are weights of their own; what they change is their base's business
    return { key, dtype, kind: 'root' };
  }
  if (first === undefined) throw invalid(model, `is a ${model.relation} of nothing`);
  switch (model.relation) {
    case 'duplicate':
      return first;
    case 'cast':
      return { key: `${first.key}:${dtype}`, dtype, kind: 'cast', parent: first };
    case 'quantized':
      // blocks are made from what the parent stores, so its own recipe serves
      return first;
    case 'merge': {
      const weights = model.weights ?? parents.map(() => 1 / parents.length);
      return {
        key,
        dtype,
        kind: 'merge',
        parents: parents.map((recipe, i) => ({ recipe, weight: weights[i] ?? 0 })),
      };
    }
    case 'finetune':
      return {
        key,
        dtype,
        kind: 'finetune',
        parent: first,
        delta: model.delta ?? DEFAULT_DELTA,
        frozen: model.frozen ?? [],
      };
  }
}

function toSeed(model: VirtualModel, source: VirtualModel, recipe: Recipe, createdAt: string): RepoSeed {
  const plan = planModel({ ...source, dtype: source.dtype ?? recipe.dtype });
  const name = source.id.slice(source.id.indexOf('/') + 1);
  // an adapter's config repeats what its card says, or tells the truth where the card is silent
  const base = typeof model.baseModel === 'string' ? model.baseModel : (model.parents?.[0] ?? '');
  const cardData: Record<string, unknown> = {
    license: 'apache-2.0',
    ...(plan.libraryName === null ? {} : { library_name: plan.libraryName }),
    pipeline_tag: plan.pipelineTag,
    ...(model.baseModel === undefined ? {} : { base_model: model.baseModel }),
    ...(model.baseModelRelation === undefined ? {} : { base_model_relation: model.baseModelRelation }),
  };
  const readme = toReadme(model.id, cardData, model.readme);
  const files: RepoFile[] = [
    createTextFile('README.md', readme),
    ...plan.texts.map(({ path, text }) => createTextFile(path, text.replaceAll('{base}', base))),
    ...plan.weights.map((file, i) =>
      createVirtualFile(file.path.replace('{name}', name), file, `${plan.key} ${i}`, recipe),
    ),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    id: model.id,
    files,
    sha: toCommitSha(model.id, [
      ['README.md', createHash('sha1').update(readme).digest('hex')],
      ['weights', `${plan.key} ${recipe.key}`],
    ]),
    createdAt,
    cardData,
    config: JSON.parse(JSON.stringify(plan.hubConfig).replaceAll('{base}', base)),
    safetensors: plan.safetensors,
    gguf: plan.gguf,
    libraryName: plan.libraryName,
    pipelineTag: plan.pipelineTag,
    gated: model.gated ?? false,
    downloads: model.downloads ?? 0,
    likes: model.likes ?? 0,
  };
}

function toReadme(id: string, cardData: Record<string, unknown>, prose: string | undefined): string {
  // JSON is YAML: strings quoted, lists in brackets
  const lines = Object.entries(cardData).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `---\n${lines.join('\n')}\n---\n\n# ${id.slice(id.indexOf('/') + 1)}\n${prose === undefined ? '' : `\n${prose}\n`}`;
}

function invalid(model: VirtualModel, what: string): HublineageError {
  return new HublineageError('UsageInvalid', `${model.id} ${what}`, {
    where: model.id,
    hint: 'list parents before their children',
  });
}
