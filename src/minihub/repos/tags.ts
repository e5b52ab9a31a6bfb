import type { RepoFile } from './record.ts';

const strings = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter(
    (item): item is string => typeof item === 'string' && item !== '',
  );

/** The Hub's own subset of config.json and its like. */
export function toHubConfig(sources: {
  config?: unknown;
  modelIndex?: unknown;
  adapterConfig?: unknown;
}): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const config = asObject(sources.config);
  for (const key of ['architectures', 'model_type', 'quantization_config', 'auto_map']) {
    if (config?.[key] !== undefined) out[key] = config[key];
  }
  const className = asObject(sources.modelIndex)?._class_name;
  if (typeof className === 'string') out.diffusers = { _class_name: className };
  const adapter = asObject(sources.adapterConfig);
  if (adapter !== null) {
    out.peft = {
      base_model_name_or_path: adapter.base_model_name_or_path,
      task_type: adapter.task_type,
    };
  }
  return out;
}

/** Tags the Hub would give a repo that came without any: from its card, its config and the kinds of its files. */
export function deriveTags(
  files: readonly RepoFile[],
  cardData: Record<string, unknown> | null,
  config: Record<string, unknown> | null,
): string[] {
  const has = (pattern: RegExp) => files.some((file) => pattern.test(file.path));
  const tags = new Set<string>();
  const add = (values: string[], prefix = '') => {
    for (const value of values) tags.add(prefix + value);
  };
  add(strings(cardData?.library_name));
  if (has(/\.safetensors$/)) tags.add('safetensors');
  if (has(/\.gguf$/)) tags.add('gguf');
  if (has(/pytorch_model.*\.bin$/)) tags.add('pytorch');
  add(strings(config?.model_type));
  const className = asObject(config?.diffusers)?._class_name;
  if (typeof className === 'string') tags.add(`diffusers:${className}`);
  if (asObject(config?.peft) !== null) tags.add('peft');
  add(strings(cardData?.pipeline_tag));
  add(strings(cardData?.tags));
  add(strings(cardData?.language));
  add(strings(cardData?.datasets), 'dataset:');
  add(strings(cardData?.license), 'license:');
  tags.add('region:us');
  return [...tags].filter((tag) => !tag.startsWith('base_model:'));
}

export function asObject(value: unknown): Record<string, unknown> | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
