import type { FilePlan, Segment, StoredFormat } from './file-plan.ts';
import { tensorBytes } from './file-plan.ts';
import type { LlamaShape } from './llama-shape.ts';
import type { VirtualGgufType } from './model.ts';
import type { TensorSpec } from './tensor-spec.ts';
import { countValues } from './tensor-spec.ts';

const ALIGNMENT = 32;
/** ggml's numbers for tensor types, and llama.cpp's for whole files. */
const TYPE_IDS: Record<VirtualGgufType, number> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  BF16: 30,
};
const FILE_TYPES: Record<VirtualGgufType, number> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q8_0: 7,
  Q5_0: 8,
  Q5_1: 9,
  BF16: 32,
};
const U32 = 4;
const F32 = 6;
const STRING = 8;
const ARRAY = 9;

/** Little-endian growing buffer in GGUF's types. */
function createWriter() {
  const parts: Buffer[] = [];
  const number = (bytes: number, write: (buffer: Buffer) => void) => {
    const buffer = Buffer.alloc(bytes);
    write(buffer);
    parts.push(buffer);
  };
  const u32 = (value: number) => number(4, (buffer) => buffer.writeUInt32LE(value));
  const u64 = (value: number) => number(8, (buffer) => buffer.writeBigUInt64LE(BigInt(value)));
  const f32 = (value: number) => number(4, (buffer) => buffer.writeFloatLE(value));
  const string = (text: string) => {
    const bytes = Buffer.from(text);
    u64(bytes.length);
    parts.push(bytes);
  };
  const raw = (bytes: Buffer) => void parts.push(bytes);
  return { u32, u64, f32, string, raw, bytes: () => Buffer.concat(parts) };
}

/** One GGUF v3 file of a Llama: matrices in `type`, norms in F32, as llama.cpp converts. */
export function planGguf(
  path: string,
  tensors: readonly TensorSpec[],
  type: VirtualGgufType,
  shape: LlamaShape,
): FilePlan {
  const writer = createWriter();
  const values: [key: string, type: number, value: number | string][] = [
    ['general.architecture', STRING, 'llama'],
    // no name of its own: one layout serves every model of the shape
    ['general.name', STRING, 'Llama'],
    ['general.file_type', U32, FILE_TYPES[type]],
    ['general.alignment', U32, ALIGNMENT],
    ['llama.block_count', U32, shape.layers],
    ['llama.context_length', U32, shape.context],
    ['llama.embedding_length', U32, shape.hidden],
    ['llama.feed_forward_length', U32, shape.intermediate],
    ['llama.attention.head_count', U32, shape.heads],
    ['llama.attention.head_count_kv', U32, shape.kvHeads],
    ['llama.rope.dimension_count', U32, shape.hidden / shape.heads],
    ['llama.rope.freq_base', F32, shape.ropeTheta],
    ['llama.vocab_size', U32, shape.vocab],
    ['tokenizer.ggml.model', STRING, 'llama'],
  ];
  writer.u32(0x46554747);
  writer.u32(3);
  writer.u64(tensors.length);
  writer.u64(values.length + 1);
  for (const [key, kind, value] of values) {
    writer.string(key);
    writer.u32(kind);
    if (typeof value === 'string') writer.string(value);
    else if (kind === F32) writer.f32(value);
    else writer.u32(value);
  }
  // the arrays that make real headers megabytes long: a reader has to skip them without keeping them
  writer.string('tokenizer.ggml.tokens');
  writer.u32(ARRAY);
  writer.u32(STRING);
  writer.u64(shape.vocab);
  writer.raw(toTokens(shape.vocab));

  let end = 0;
  const placed = tensors.map((tensor) => {
    const format: StoredFormat = tensor.shape.length === 1 ? 'F32' : type;
    const length = tensorBytes(countValues(tensor.shape), format);
    const offset = end;
    end = align(offset + length);
    writer.string(tensor.ggufName ?? tensor.name);
    writer.u32(tensor.shape.length);
    for (const dimension of [...tensor.shape].reverse()) writer.u64(dimension);
    writer.u32(TYPE_IDS[format]);
    writer.u64(offset);
    return { tensor, format, offset, length };
  });
  const header = writer.bytes();
  const dataStart = align(header.length);
  const segments: Segment[] = [
    { offset: 0, length: header.length, bytes: header },
    ...placed.map(({ tensor, format, offset, length }) => ({
      offset: dataStart + offset,
      length,
      tensor,
      format,
      ggufOrder: true,
    })),
  ];
  return { path, size: dataStart + end, segments };
}

/** `<0>`, `<1>`, ... with their lengths, in one buffer. */
function toTokens(vocab: number): Buffer {
  const tokens = Array.from({ length: vocab }, (_, token) => `<${token.toString(36)}>`);
  const buffer = Buffer.alloc(tokens.reduce((sum, token) => sum + 8 + token.length, 0));
  let at = 0;
  for (const token of tokens) {
    buffer.writeUInt32LE(token.length, at);
    at += 8 + buffer.write(token, at + 8, 'latin1');
  }
  return buffer;
}

const align = (offset: number) => Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
