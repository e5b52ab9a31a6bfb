import type { RepoRecord } from './record.ts';
import { headOf } from './record.ts';
import { asObject } from './tags.ts';

export interface DerivedBaseModels {
  /** `base_model:X` and `base_model:<relation>:X` for everything that reads like a repo id */
  tags: string[];
  /** what `expand=baseModels` shows; null (an absent key) when nothing can be resolved */
  baseModels: { relation: string; models: { _id: string; id: string }[] } | null;
}

const RELATIONS = new Set(['finetune', 'adapter', 'merge', 'quantized']);
const REPO_ID = /^[\w.-]+\/[\w.-]+$/;
const QUANTIZED_TAG = /^(gptq|awq|bnb|bitsandbytes|4-bit|8-bit|exl2|mlx|fp8|compressed-tensors)$/;
/** The Hub shows a few parents; a card that lists thousands is an attack on the reader. */
const MAX_PARENTS = 100;

/**
 * What the Hub makes of a card's `base_model` (hub-docs, model cards; the exact rules of the relation run on its servers).
 * Tags keep what was typed unless it names a known repo in another case; `baseModels` holds only parents that exist.
 */
export function deriveBaseModels(
  repo: RepoRecord,
  find: (id: string) => RepoRecord | undefined,
): DerivedBaseModels {
  const typed = [...new Set(declaredStrings(repo.cardData?.base_model).map((name) => name.trim()))].filter(
    (name) => REPO_ID.test(name),
  );
  if (typed.length === 0) return { tags: [], baseModels: null };
  const relation = inferRelation(repo, typed.length);
  const tags: string[] = [];
  const models = new Map<string, string>();
  for (const name of typed.slice(0, MAX_PARENTS)) {
    const parent = find(name);
    const shown = parent?.id ?? name;
    tags.push(`base_model:${shown}`, `base_model:${relation}:${shown}`);
    if (parent !== undefined) models.set(parent.hubId, parent.id);
  }
  const resolved = [...models].map(([_id, id]) => ({ _id, id }));
  return {
    tags: [...new Set(tags)],
    baseModels: resolved.length > 0 ? { relation, models: resolved } : null,
  };
}

function declaredStrings(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((item): item is string => typeof item === 'string');
}

function inferRelation(repo: RepoRecord, parents: number): string {
  const declared = repo.cardData?.base_model_relation;
  if (typeof declared === 'string' && RELATIONS.has(declared)) return declared;
  if (parents > 1) return 'merge';
  const paths = headOf(repo).files.map((file) => file.path);
  const isAdapter =
    paths.includes('adapter_config.json') ||
    repo.libraryName === 'peft' ||
    repo.tags.some((tag) => tag === 'lora' || tag === 'peft');
  if (isAdapter) return 'adapter';
  const isQuantized =
    paths.some((path) => path.endsWith('.gguf')) ||
    repo.tags.some((tag) => QUANTIZED_TAG.test(tag)) ||
    asObject(repo.config?.quantization_config) !== null;
  return isQuantized ? 'quantized' : 'finetune';
}
