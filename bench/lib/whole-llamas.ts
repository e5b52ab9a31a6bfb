import { join } from 'node:path';
import type { Tensorflow } from '../../src/lineage/methods/learned/index.ts';
import type { Params, TinyLlama } from '../../src/lineage/methods/networks/index.ts';
import { createLocalRepo } from '../../src/refresh/local-repo.ts';
import type { ByteSource } from '../../src/types/hub.ts';
import type { CanonicalTensor } from '../../src/types/weights.ts';
import { openModel } from '../../src/weights/index.ts';

/** A Llama read whole, ready to be run. */
export interface WholeLlama {
  repo: string;
  config: TinyLlama;
  hidden: number;
  params: Params;
}

/** Ids a byte-level vocabulary begins with; what was added to it later is no byte and is cut off, so that all have it in one shape. */
const BYTES = 256;
/** A zoo's Llamas are smaller by far; anything larger is for machines that are made to run it. */
const MAX_PARAMS = 5e6;

/**
 * Reads every value of a small byte-level Llama, whatever its container: safetensors, torch, GGUF (dequantised). Null for whatever
 * cannot be run as it is: adapters, other vocabularies, large models, unreadable files, scaled rotary positions.
 */
export async function readWholeLlama(tf: Tensorflow, zoo: string, repo: string): Promise<WholeLlama | null> {
  const files = createLocalRepo(join(zoo, repo), { label: repo });
  const facts = await readConfig(files);
  const weights = await openModel(files, { config: facts }).catch(() => null);
  if (weights?.kind !== 'full' || weights.family !== 'llama' || weights.params > MAX_PARAMS) return null;
  const { hidden, heads, kvHeads, vocab } = weights.widths;
  if (hidden === null || heads === null || (vocab ?? 0) < BYTES || facts?.rope_scaling) return null;
  const sources = new Map<string, Promise<Uint8Array>>();
  const read = (path: string) => {
    const whole = sources.get(path) ?? files.open(path).then((file: ByteSource) => file.read(0, file.size));
    sources.set(path, whole);
    return whole;
  };
  const params: Record<string, Params[string]> = {};
  for (const tensor of weights.tensors) {
    // the head is no part of the features
    if (tensor.role === 'lm_head.weight') continue;
    const rows = tensor.role === 'model.embed_tokens.weight' ? BYTES : tensor.rows;
    const values = await readRows(tensor, rows, read);
    params[tensor.name] =
      tensor.shape.length === 1 ? tf.tensor1d(values) : tf.tensor2d(values, [rows, tensor.cols]);
  }
  const number = (value: unknown, fallback: number) =>
    typeof value === 'number' && value > 0 ? value : fallback;
  return {
    repo,
    hidden,
    // a GGUF has no config.json here: Llama's own values, which is what the zoos' models are trained with
    config: {
      heads,
      kvHeads: kvHeads ?? heads,
      epsilon: number(facts?.rms_norm_eps, 1e-5),
      ropeTheta: number(facts?.rope_theta, 10_000),
    },
    params,
  };
}

async function readConfig(
  files: ReturnType<typeof createLocalRepo>,
): Promise<Record<string, unknown> | null> {
  const bytes = await files.readSmall('config.json', 1e6).catch(() => null);
  return bytes === null ? null : (JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>);
}

async function readRows(
  tensor: CanonicalTensor,
  rows: number,
  read: (path: string) => Promise<Uint8Array>,
): Promise<Float32Array> {
  const values = new Float32Array(rows * tensor.cols);
  for (let row = 0; row < rows; row++) {
    const ranges = tensor.segmentRanges(row, 0, tensor.cols);
    const bytes = await Promise.all(
      ranges.map(async ({ file, offset, length }) => (await read(file)).subarray(offset, offset + length)),
    );
    values.set(tensor.decodeSegment(bytes, row, 0, tensor.cols), row * tensor.cols);
  }
  return values;
}
