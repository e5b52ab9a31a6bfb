import { HublineageError } from '../../types/errors.ts';
import type { ByteSource } from '../../types/hub.ts';
import type { CanonicalTensor, ModelWeights, ModelWidths } from '../../types/weights.ts';
import {
  createCanonicalTensor,
  createInterleavedRowMap,
  fromGgufLlamaName,
  type RowMap,
  rotaryProjectionOf,
} from '../canonical/index.ts';
import { valueCount } from '../raw-tensor.ts';
import { createBlockTensor } from './block-tensor.ts';
import { toGgmlType } from './ggml-types.ts';
import type { GgufContents, GgufTensor } from './types.ts';

/** Keys worth keeping beside the weights: what the file says it is, came from, and was calibrated with. */
const METADATA_KEYS = /^(?:general|quantize|split|llama)\./;
const MAX_METADATA_ENTRIES = 256;
const MAX_METADATA_CHARS = 1_000;

function checkArchitecture({ architecture, values }: GgufContents, where: string | undefined): void {
  if (architecture !== 'llama') {
    throw new HublineageError(
      'ArchitectureUnsupported',
      `a GGUF of architecture ${architecture.slice(0, 80)}`,
      { where },
    );
  }
  const experts = values.get('llama.expert_count');
  if (typeof experts === 'number' && experts > 0) {
    throw new HublineageError('ArchitectureUnsupported', `a mixture of ${experts} experts`, { where });
  }
}

/** Widths as the keys tell them; shapes answer where a key is missing. */
function readWidths({ values, tensors }: GgufContents): ModelWidths {
  const told = (key: string): number | null => {
    const value = values.get(`llama.${key}`);
    return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : null;
  };
  const shapeOf = (name: string) => tensors.find((tensor) => tensor.name === name)?.shape;
  const embedding = shapeOf('token_embd.weight');
  const hidden = told('embedding_length') ?? embedding?.[1] ?? null;
  const heads = told('attention.head_count');
  const layers = tensors.map((tensor) => Number(/^blk\.(\d{1,4})\./.exec(tensor.name)?.[1] ?? -1));
  return {
    hidden,
    intermediate: told('feed_forward_length') ?? shapeOf('blk.0.ffn_gate.weight')?.[0] ?? null,
    heads,
    kvHeads: told('attention.head_count_kv') ?? heads,
    headDim: told('attention.key_length') ?? (hidden !== null && heads !== null ? hidden / heads : null),
    layers: told('block_count') ?? (layers.reduce((top, layer) => Math.max(top, layer), -1) + 1 || null),
    vocab: embedding?.[0] ?? told('vocab_size'),
    crossAttention: null,
  };
}

function rowMapOf(name: string, tensor: GgufTensor, widths: ModelWidths): RowMap | undefined {
  const projection = rotaryProjectionOf(name);
  if (projection === null) return undefined;
  const heads = projection === 'q' ? widths.heads : widths.kvHeads;
  if (heads === null) {
    throw new HublineageError(
      'HeaderInvalid',
      'llama.attention.head_count is missing: q and k rows cannot be put in order',
      {
        where: tensor.file,
      },
    );
  }
  return createInterleavedRowMap(tensor.shape[0] ?? 1, heads);
}

function toCanonical(tensor: GgufTensor, name: string, widths: ModelWidths): CanonicalTensor {
  const raw = createBlockTensor(tensor);
  // Told as one column a block, segments are not held to block borders; the true width is what readers should see.
  const canonical = createCanonicalTensor({ ...raw, blockCols: 1 }, name, {
    rowMap: rowMapOf(name, tensor, widths),
  });
  return { ...canonical, blockCols: raw.blockCols };
}

/**
 * The number format most values are stored in: norms are float32 in every quantisation. One tensor in blocks makes the model a quantised
 * one, whatever the rest: rows that do not divide into blocks stay in half precision, in small models most of them.
 */
function dominantType(tensors: readonly GgufTensor[]): { name: string; quantized: boolean } {
  const inBlocks = tensors.filter((tensor) => !(toGgmlType(tensor.typeId)?.plain ?? false));
  const values = new Map<string, number>();
  for (const tensor of inBlocks.length > 0 ? inBlocks : tensors)
    values.set(tensor.type, (values.get(tensor.type) ?? 0) + valueCount(tensor.shape));
  const [name = 'F32'] = [...values].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0] ?? [];
  return { name, quantized: inBlocks.length > 0 };
}

function toMetadata({ values }: GgufContents): Record<string, string> {
  const entries = [...values]
    .filter(([key]) => METADATA_KEYS.test(key))
    .slice(0, MAX_METADATA_ENTRIES)
    .map(([key, value]) => [key, String(value).slice(0, MAX_METADATA_CHARS)] as const);
  return Object.fromEntries(entries);
}

/**
 * The contents of a GGUF (from `openGguf` on the same sources) as canonical weights: HF names, q and k rows in HF's order.
 * ArchitectureUnsupported for anything but a dense `llama`, NoWeights when no tensor has a Llama name.
 */
export function toGgufWeights(contents: GgufContents, sources: readonly ByteSource[]): ModelWeights {
  const where = sources[0]?.path;
  checkArchitecture(contents, where);
  const widths = readWidths(contents);
  const named = contents.tensors.flatMap((tensor) => {
    const name = fromGgufLlamaName(tensor.name);
    return name === null ? [] : [{ tensor, name }];
  });
  if (named.length === 0)
    throw new HublineageError('NoWeights', 'no tensor has the name of a Llama weight', { where });
  const tensors = named.map(({ tensor, name }) => toCanonical(tensor, name, widths));
  const dominant = dominantType(named.map(({ tensor }) => tensor));
  const ignored = contents.tensors.length - named.length;
  return {
    family: 'llama',
    architecture: 'LlamaForCausalLM',
    kind: 'full',
    container: 'gguf',
    format: sources.length > 1 ? 'gguf-split' : 'gguf',
    dtype: dominant.name,
    quantized: dominant.quantized,
    params: named.reduce((sum, { tensor }) => sum + valueCount(tensor.shape), 0),
    widths,
    tensors: tensors.sort((a, b) => (a.name < b.name ? -1 : 1)),
    adapter: null,
    files: sources
      .map(({ path, size, sha256 }) => ({ path, size, sha256 }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
    metadata: toMetadata(contents),
    notes:
      ignored > 0
        ? [...contents.notes, `${ignored} tensors without a Llama name ignored`]
        : [...contents.notes],
  };
}
