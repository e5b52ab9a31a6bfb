/** Little-endian bytes from a list of [width, value] and texts. */
function pack(...parts: (readonly [4 | 8, number | bigint] | string)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      const [width, value] = part;
      const bytes = Buffer.alloc(width);
      if (width === 4) bytes.writeUInt32LE(Number(value));
      else bytes.writeBigUInt64LE(BigInt(value));
      return bytes;
    }),
  );
}

const text = (value: string): (readonly [8, number] | string)[] => [[8, value.length], value];
const architecture = [...text('general.architecture'), [4, 8] as const, ...text('llama')];
const alignment = (value: number) => [...text('general.alignment'), [4, 4] as const, [4, value] as const];
const tensor = (name: string, dims: (number | bigint)[], type: number, offset: number) => [
  ...text(name),
  [4, dims.length] as const,
  ...dims.map((dimension) => [8, dimension] as const),
  [4, type] as const,
  [8, offset] as const,
];
const head = (tensors: number | bigint, values: number | bigint, version = 3) =>
  ['GGUF', [4, version], [8, tensors], [8, values]] as const;
const padding = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(256)]);

/** .gguf files that no reader may believe, by what is wrong with them. */
export const BROKEN_GGUF: Record<string, () => Buffer> = {
  'gguf-wrong-magic': () => pack('GGML', [4, 3], [8, 0], [8, 0]),
  'gguf-big-endian': () => {
    const bytes = pack('GGUF', [4, 0], [8, 0], [8, 0]);
    bytes.writeUInt32BE(3, 4);
    return bytes;
  },
  'gguf-v1': () => padding(pack('GGUF', [4, 1], [4, 0], [4, 0])),
  'gguf-billion-values': () => padding(pack(...head(0, 1_000_000_000), ...architecture)),
  'gguf-billion-tensors': () => padding(pack(...head(1_000_000_000, 1), ...architecture)),
  'gguf-counts-64-bit': () => padding(pack(...head(2n ** 63n, 2n ** 63n))),
  'gguf-gigabyte-string': () => padding(pack(...head(0, 1), [8, 1 << 30], 'general')),
  'gguf-nested-array': () =>
    padding(pack(...head(0, 2), ...architecture, ...text('a'), [4, 9], [4, 9], [8, 1_000_000_000])),
  'gguf-billion-strings': () =>
    padding(pack(...head(0, 2), ...architecture, ...text('a'), [4, 9], [4, 8], [8, 1_000_000_000])),
  'gguf-value-type-unknown': () => padding(pack(...head(0, 1), ...text('a'), [4, 77], [8, 0])),
  'gguf-alignment-zero': () =>
    padding(
      pack(...head(1, 2), ...architecture, ...alignment(0), ...tensor('token_embd.weight', [4, 4], 0, 0)),
    ),
  'gguf-alignment-three': () =>
    padding(
      pack(...head(1, 2), ...architecture, ...alignment(3), ...tensor('token_embd.weight', [4, 4], 0, 0)),
    ),
  'gguf-type-99': () =>
    padding(pack(...head(1, 1), ...architecture, ...tensor('token_embd.weight', [32, 4], 99, 0))),
  'gguf-duplicate-tensors': () =>
    padding(
      pack(
        ...head(2, 1),
        ...architecture,
        ...tensor('token_embd.weight', [4, 4], 0, 0),
        ...tensor('token_embd.weight', [4, 4], 0, 64),
      ),
    ),
  'gguf-five-dimensions': () =>
    padding(pack(...head(1, 1), ...architecture, ...tensor('token_embd.weight', [2, 2, 2, 2, 2], 0, 0))),
  'gguf-dimensions-overflow': () =>
    padding(
      pack(...head(1, 1), ...architecture, ...tensor('token_embd.weight', [2n ** 62n, 2n ** 62n], 0, 0)),
    ),
  'gguf-offset-beyond-end': () =>
    padding(pack(...head(1, 1), ...architecture, ...tensor('token_embd.weight', [4, 4], 0, 1 << 30))),
  'gguf-infos-truncated': () =>
    pack(...head(5, 1), ...architecture, ...tensor('token_embd.weight', [4, 4], 0, 0)),
};
