import type { HubRepo } from '../types/hub.ts';
import type { Relation } from '../types/lineage.ts';

const QUANT_TAGS = new Set([
  'gguf',
  'gptq',
  'awq',
  'bitsandbytes',
  '4-bit',
  '8-bit',
  'exl2',
  'exl3',
  'aqlm',
  'hqq',
  'eetq',
  'mlx-4bit',
]);

/**
 * The relation the Hub shows for a repo that types none, as far as its rules are documented: adapter by its files or library,
 * quantized by file type or tags, merge for several parents, fine-tune otherwise. A guess from packaging, nobody's declaration.
 */
export function relationFromFiles(repo: HubRepo, parents: number): Relation {
  const tags = new Set(repo.tags.slice(0, 10_000).map((tag) => String(tag).toLowerCase()));
  const file = (pattern: RegExp) => repo.files.some((path) => pattern.test(path));
  if (file(/(?:^|\/)adapter_config\.json$/) || file(/(?:^|\/)pytorch_lora_weights\.safetensors$/))
    return 'adapter';
  if (tags.has('lora') || tags.has('peft') || repo.libraryName === 'peft') return 'adapter';
  if (file(/\.gguf$/i) || [...tags].some((tag) => QUANT_TAGS.has(tag))) return 'quantized';
  if (isRecord(repo.config?.quantization_config)) return 'quantized';
  return parents >= 2 ? 'merge' : 'finetune';
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
