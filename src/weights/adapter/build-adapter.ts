import { HublineageError } from '../../types/errors.ts';
import type { HubFile, RepoFiles } from '../../types/hub.ts';
import type { ModelWeights, ModelWidths } from '../../types/weights.ts';
import { createCanonicalTensor } from '../canonical/index.ts';
import type { Candidate } from '../choose-files.ts';
import { readJsonObject } from '../facts.ts';
import type { RawTensor } from '../raw-tensor.ts';
import type { RawContents } from '../read-tensors.ts';
import { mostCommon, NO_WIDTHS, summariseValues } from '../summarise.ts';
import { type ParsedAdapter, parseAdapter } from './adapter-facts.ts';

/** Keys of adapter_config.json worth keeping: what it was trained on and how its factors scale. */
const CONFIG_KEYS = [
  'peft_type',
  'base_model_name_or_path',
  'revision',
  'r',
  'lora_alpha',
  'target_modules',
  'modules_to_save',
  'use_rslora',
  'use_dora',
  'task_type',
];
const MAX_VALUE_CHARS = 2048;

/**
 * An adapter: its factors as tensors (role `lora`, own names), and which weights of what shape it changes. adapter_config.json is
 * read when there is one (its keys go to metadata as `adapter.*`); of kohya's alphas one is read when the metadata does not tell.
 * ArchitectureUnsupported when no target is a Llama's or a UNet's.
 */
export async function buildAdapter(build: {
  repo: RepoFiles;
  candidate: Candidate;
  contents: RawContents;
  listing: readonly HubFile[];
}): Promise<ModelWeights> {
  const { repo, candidate, contents } = build;
  const parsed = parseAdapter(contents.tensors);
  if (parsed.family === null) {
    throw new HublineageError(
      'ArchitectureUnsupported',
      'an adapter whose factors name no part of a Llama or a Stable Diffusion UNet',
      {
        where: candidate.files[0],
      },
    );
  }
  const config =
    candidate.adapterConfig === null ? null : await readJsonObject(repo, candidate.adapterConfig);
  const notes = [...contents.notes, ...parsed.notes];
  if (candidate.adapterConfig !== null && config === null)
    notes.push('adapter_config.json could not be read');
  const values = contents.tensors.filter(
    (tensor) => tensor.shape.reduce((product, dim) => product * dim, 1) > 1,
  );
  if (values.length === 0) {
    throw new HublineageError('NoWeights', 'the adapter has no values', { where: candidate.files[0] });
  }
  const tensors = values
    .map((raw) => createCanonicalTensor(raw, raw.name, { role: 'lora' }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    family: parsed.family,
    architecture: parsed.family === 'llama' ? 'LlamaForCausalLM' : 'UNet2DConditionModel',
    kind: 'adapter',
    container: contents.container,
    format: parsed.type === 'lycoris' ? 'kohya' : parsed.type,
    ...summariseValues(tensors),
    quantized: false,
    widths: widthsOf(parsed),
    tensors,
    adapter: {
      type: parsed.type,
      rank: parsed.rank,
      alpha: await findAlpha(config, contents, parsed.alphas),
      targets: parsed.targets,
      targetShapes: parsed.targetShapes,
    },
    files: contents.files,
    metadata: { ...contents.metadata, ...pickConfig(config) },
    notes,
  };
}

function pickConfig(config: Record<string, unknown> | null): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const key of CONFIG_KEYS) {
    const value = config?.[key];
    if (value === undefined || value === null) continue;
    picked[`adapter.${key}`] = (typeof value === 'string' ? value : JSON.stringify(value)).slice(
      0,
      MAX_VALUE_CHARS,
    );
  }
  return picked;
}

async function findAlpha(
  config: Record<string, unknown> | null,
  contents: RawContents,
  alphas: readonly RawTensor[],
): Promise<number | null> {
  if (typeof config?.lora_alpha === 'number' && Number.isFinite(config.lora_alpha)) return config.lora_alpha;
  const told = Number.parseFloat(contents.metadata.ss_network_alpha ?? '');
  if (Number.isFinite(told)) return told;
  const scalar = alphas.find((tensor) => tensor.decodable);
  const range = scalar?.segmentRanges(0, 0, 1)[0];
  const source = range === undefined ? undefined : contents.sources.get(range.file);
  if (scalar === undefined || range === undefined || source === undefined) return null;
  const value = scalar.decodeSegment([await source.read(range.offset, range.length)], 0, 0, 1)[0];
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** Widths of the base, as far as the factors' shapes tell them. */
function widthsOf({ family, targetShapes }: ParsedAdapter): ModelWidths {
  const sides = (pattern: RegExp, side: 0 | 1) =>
    Object.entries(targetShapes)
      .filter(([name]) => pattern.test(name))
      .map(([, shape]) => shape[side]);
  if (family === 'stable-diffusion') {
    return { ...NO_WIDTHS, crossAttention: mostCommon(sides(/\.attn2\.to_[kv]\.weight$/, 1)) };
  }
  return {
    ...NO_WIDTHS,
    hidden: mostCommon([
      ...sides(/\.(?:q|k|v|gate|up)_proj\.weight$/, 1),
      ...sides(/\.(?:o|down)_proj\.weight$/, 0),
    ]),
    intermediate: mostCommon([
      ...sides(/\.(?:gate|up)_proj\.weight$/, 0),
      ...sides(/\.down_proj\.weight$/, 1),
    ]),
  };
}
