import { createBytesFile, createTextFile } from '../repos/bytes-file.ts';
import type { RepoFile } from '../repos/record.ts';

/** A safetensors file with whatever header and body are given; nothing is checked. */
function createSafetensors(header: unknown, bodyBytes: number, claimedHeaderBytes?: number): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(claimedHeaderBytes ?? json.length));
  return Buffer.concat([prefix, json, Buffer.alloc(bodyBytes)]);
}

const entry = (dtype: string, shape: unknown, begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});
const EMBED = 'model.embed_tokens.weight';
const NORM = 'model.norm.weight';

/** model.safetensors files that no reader may believe, by what is wrong with them. */
export const BROKEN_SAFETENSORS: Record<string, () => Buffer> = {
  'header-truncated': () => createSafetensors({ [EMBED]: entry('F32', [4, 4], 0, 64) }, 0).subarray(0, 20),
  'header-length-beyond-file': () => createSafetensors('{}', 16, 1 << 24),
  'header-length-absurd': () => {
    const bytes = createSafetensors('{}', 16);
    bytes.fill(0xff, 0, 8);
    return bytes;
  },
  'header-not-json': () => createSafetensors('{"model.embed_tokens.weight": ', 64),
  'header-not-object': () => createSafetensors('[1, 2, 3]', 64),
  'negative-offset': () => createSafetensors({ [EMBED]: entry('F32', [4, 4], -64, 0) }, 64),
  'offset-beyond-end': () => createSafetensors({ [EMBED]: entry('F32', [4, 4], 0, 6400) }, 64),
  'overlapping-tensors': () =>
    createSafetensors({ [EMBED]: entry('F32', [4, 4], 0, 64), [NORM]: entry('F32', [4], 32, 48) }, 64),
  'hole-between-tensors': () =>
    createSafetensors({ [EMBED]: entry('F32', [4, 4], 0, 64), [NORM]: entry('F32', [4], 96, 112) }, 112),
  'size-and-shape-disagree': () => createSafetensors({ [EMBED]: entry('F32', [400, 400], 0, 64) }, 64),
  'dimensions-overflow': () => createSafetensors({ [EMBED]: entry('F32', [2 ** 40, 2 ** 40], 0, 64) }, 64),
  'negative-dimension': () => createSafetensors({ [EMBED]: entry('F32', [-4, -4], 0, 64) }, 64),
  'fractional-dimension': () => createSafetensors({ [EMBED]: entry('F32', [0.5, 32], 0, 64) }, 64),
  'dtype-unknown': () => createSafetensors({ [EMBED]: entry('F7', [4, 4], 0, 64) }, 64),
  'duplicate-keys': () =>
    createSafetensors(
      `{"${EMBED}":{"dtype":"F32","shape":[4,4],"data_offsets":[0,64]},"${EMBED}":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}`,
      64,
    ),
  'proto-key': () =>
    createSafetensors(`{"__proto__":{"dtype":"F32","shape":[4,4],"data_offsets":[0,64]}}`, 64),
  'deep-nesting': () => createSafetensors(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 0),
  'empty-file': () => Buffer.alloc(0),
  'html-instead': () => Buffer.from('<!DOCTYPE html><html><body>Sign in</body></html>'),
};

/** 30 MB of header, made while it is read: reference clients stop at 25 MB. */
export function createHugeHeader(): RepoFile {
  const headerBytes = 30_000_000;
  const size = 8 + headerBytes + 64;
  const start = Buffer.from(`{"${EMBED}":{"dtype":"F32","shape":[4,4],"data_offsets":[0,64]}`);
  const base = createBytesFile('model.safetensors', start);
  return {
    ...base,
    size,
    read: async (offset, length) => {
      // spaces up to the closing brace: valid JSON, and one tensor at the end of it
      const out = Buffer.alloc(length, 0x20);
      const prefix = Buffer.alloc(8);
      prefix.writeBigUInt64LE(BigInt(headerBytes));
      const parts: [at: number, bytes: Buffer][] = [
        [0, prefix],
        [8, start],
        [8 + headerBytes - 1, Buffer.from('}')],
        [8 + headerBytes, Buffer.alloc(64)],
      ];
      for (const [at, bytes] of parts) {
        for (let i = 0; i < bytes.length; i++) {
          const to = at + i - offset;
          if (to >= 0 && to < length) out[to] = bytes[i]!;
        }
      }
      return out;
    },
  };
}

/** Indexes that point where no reader may go. */
export const BROKEN_INDEXES: Record<string, () => RepoFile[]> = {
  'index-missing-shard': () => [toIndex({ [EMBED]: 'model-00001-of-00002.safetensors' })],
  'index-climbs-out': () => [toIndex({ [EMBED]: '../../other/repo/model.safetensors' })],
  'index-absolute-path': () => [toIndex({ [EMBED]: '/etc/passwd' })],
  'index-names-url': () => [toIndex({ [EMBED]: 'https://files.example.invalid/model.safetensors' })],
  'index-control-characters': () => [toIndex({ [EMBED]: 'model\u0000\r\n.safetensors' })],
  'index-10001-shards': () => [
    toIndex(
      Object.fromEntries(
        Array.from({ length: 10_001 }, (_, i) => [
          `model.layers.${i}.mlp.up_proj.weight`,
          `model-${String(i + 1).padStart(5, '0')}-of-10001.safetensors`,
        ]),
      ),
    ),
  ],
  'index-not-json': () => [createTextFile('model.safetensors.index.json', '{"weight_map": ')],
};

const toIndex = (weightMap: Record<string, string>) =>
  createTextFile('model.safetensors.index.json', JSON.stringify({ weight_map: weightMap }));
