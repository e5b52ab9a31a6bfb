import { SCALAR_BYTES } from '../../weights/index.ts';
import type { RepoFile } from './record.ts';

/** The Hub's JS reader stops here too. */
const MAX_HEADER_BYTES = 50_000_000;
const CHUNK_BYTES = 2_000_000;
const STRING = 8;
const ARRAY = 9;

/** What `expand=gguf` shows of one file: {total, architecture, context_length, ..., totalFileSize}. Header only (ggml, docs/gguf.md). */
export async function toGgufSummary(file: RepoFile): Promise<Record<string, unknown>> {
  const cursor = createCursor(file);
  await cursor.need(24);
  if (cursor.u32() !== 0x46554747) throw new Error('not GGUF');
  if (cursor.u32() < 2) throw new Error('GGUF v1');
  const tensorCount = cursor.u64();
  const kvCount = cursor.u64();
  if (tensorCount > 1e6 || kvCount > 1e6) throw new Error('too many entries');
  const values: Record<string, unknown> = {};
  for (let i = 0; i < kvCount; i++) {
    const key = await cursor.string();
    await cursor.need(4);
    const type = cursor.u32();
    if (type === ARRAY) await skipArray(cursor);
    else if (type === STRING) values[key] = await cursor.string();
    else values[key] = await cursor.scalar(type);
  }
  let total = 0;
  for (let i = 0; i < tensorCount; i++) {
    await cursor.string();
    await cursor.need(4);
    const dims = cursor.u32();
    if (dims > 4) throw new Error('too many dimensions');
    await cursor.need(dims * 8 + 12);
    let count = 1;
    for (let d = 0; d < dims; d++) count *= cursor.u64();
    cursor.skip(12);
    total += count;
  }
  const architecture = values['general.architecture'];
  const summary: Record<string, unknown> = { total, architecture };
  const contextLength = values[`${String(architecture)}.context_length`];
  if (contextLength !== undefined) summary.context_length = contextLength;
  const template = values['tokenizer.chat_template'];
  if (template !== undefined) summary.chat_template = template;
  summary.totalFileSize = file.size;
  return summary;
}

type Cursor = ReturnType<typeof createCursor>;

function createCursor(file: RepoFile) {
  let bytes = Buffer.alloc(0);
  let base = 0;
  let at = 0;
  const need = async (length: number) => {
    if (at + length <= bytes.length) return;
    const start = base + at;
    if (start + length > Math.min(file.size, MAX_HEADER_BYTES)) throw new Error('header too long');
    const size = Math.min(Math.max(length, CHUNK_BYTES), file.size - start);
    bytes = Buffer.from(await file.read(start, size));
    base = start;
    at = 0;
  };
  const u32 = () => {
    at += 4;
    return bytes.readUInt32LE(at - 4);
  };
  const u64 = () => {
    at += 8;
    return Number(bytes.readBigUInt64LE(at - 8));
  };
  const string = async () => {
    await need(8);
    const length = u64();
    await need(length);
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const scalar = async (type: number): Promise<number | boolean> => {
    const size = SCALAR_BYTES[type];
    if (size === undefined) throw new Error(`value type ${type}`);
    await need(size);
    at += size;
    const start = at - size;
    if (type === 6) return bytes.readFloatLE(start);
    if (type === 12) return bytes.readDoubleLE(start);
    if (type === 7) return bytes[start] !== 0;
    return size === 8 ? Number(bytes.readBigUInt64LE(start)) : bytes.readUIntLE(start, size);
  };
  const skip = (length: number) => {
    at += length;
  };
  return { need, u32, u64, string, scalar, skip };
}

async function skipArray(cursor: Cursor): Promise<void> {
  await cursor.need(12);
  const type = cursor.u32();
  const length = cursor.u64();
  const size = SCALAR_BYTES[type];
  if (type === STRING) {
    for (let i = 0; i < length; i++) await cursor.string();
  } else if (size === undefined) throw new Error('nested array');
  else {
    await cursor.need(size * length);
    cursor.skip(size * length);
  }
}
