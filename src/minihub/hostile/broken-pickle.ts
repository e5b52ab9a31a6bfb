import { deflateRawSync } from 'node:zlib';

interface Entry {
  name: string;
  bytes: Buffer;
  compressed?: boolean;
}

/** A zip with the oddities asked for; CRCs are left 0, readers of ranges do not check them. */
function zip(entries: readonly Entry[], options: { prefix?: Buffer; comment?: Buffer } = {}): Buffer {
  const prefix = options.prefix ?? Buffer.alloc(0);
  const parts: Buffer[] = [prefix];
  const central: Buffer[] = [];
  let at = prefix.length;
  for (const { name, bytes, compressed = false } of entries) {
    const stored = compressed ? deflateRawSync(bytes) : bytes;
    const nameBytes = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(compressed ? 8 : 0, 8);
    local.writeUInt32LE(stored.length, 18);
    local.writeUInt32LE(bytes.length, 22);
    local.writeUInt16LE(nameBytes.length, 26);
    const directory = Buffer.alloc(46);
    directory.writeUInt32LE(0x02014b50, 0);
    directory.writeUInt16LE(compressed ? 8 : 0, 10);
    directory.writeUInt32LE(stored.length, 20);
    directory.writeUInt32LE(bytes.length, 24);
    directory.writeUInt16LE(nameBytes.length, 28);
    // offsets count from where the archive begins, so prepended data shifts everything
    directory.writeUInt32LE(at - prefix.length, 42);
    central.push(directory, nameBytes);
    parts.push(local, nameBytes, stored);
    at += 30 + nameBytes.length + stored.length;
  }
  const directory = Buffer.concat(central);
  const comment = options.comment ?? Buffer.alloc(0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at - prefix.length, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, directory, end, comment]);
}

const short = (text: string) => Buffer.concat([Buffer.from([0x8c, text.length]), Buffer.from(text)]);
const raw = (...parts: (string | number[] | Buffer)[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  );

/** Enough of a Llama to be taken for one: what is odd about the file has to be noticed, not its smallness. */
const TENSORS: readonly [name: string, dims: number[]][] = [
  ['model.embed_tokens.weight', [4, 4]],
  ['model.layers.0.input_layernorm.weight', [4]],
  ...['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((part): [string, number[]] => [
    `model.layers.0.self_attn.${part}.weight`,
    [4, 4],
  ]),
  ...['gate_proj', 'up_proj', 'down_proj'].map((part): [string, number[]] => [
    `model.layers.0.mlp.${part}.weight`,
    [4, 4],
  ]),
  ['model.layers.0.post_attention_layernorm.weight', [4]],
  ['model.norm.weight', [4]],
];

/** A state dict of tiny F32 tensors on one shared storage, matrices with the strides asked for. */
const tensorPickle = (strides: [number, number]) =>
  raw(
    [0x80, 2, 0x7d, 0x28],
    ...TENSORS.flatMap(([name, dims]) => {
      const numbers = (values: number[]) => [0x28, ...values.flatMap((value) => [0x4b, value]), 0x74];
      return [
        short(name),
        'ctorch._utils\n_rebuild_tensor_v2\n((',
        short('storage'),
        'ctorch\nFloatStorage\n',
        short('0'),
        short('cpu'),
        [
          0x4b,
          16,
          0x74,
          0x51,
          0x4b,
          0,
          ...numbers(dims),
          ...numbers(dims.length === 1 ? [1] : strides),
          0x89,
        ],
        'ccollections\nOrderedDict\n)RtR',
      ];
    }),
    'u.',
  );
const storage: Entry = { name: 'archive/data/0', bytes: Buffer.alloc(64) };
const withPickle = (pickle: Buffer) => zip([{ name: 'archive/data.pkl', bytes: pickle }, storage]);
const callPickle = (module: string, name: string, argument: string) =>
  raw([0x80, 2], `c${module}\n${name}\n(`, short(argument), 'tR.');

/** pytorch_model.bin files: some harmful to whoever executes them, some only odd. Nothing in them may ever be called. */
export const BROKEN_PICKLES: Record<string, () => Buffer> = {
  'pickle-os-system': () => withPickle(callPickle('os', 'system', 'echo owned > /tmp/owned')),
  'pickle-builtins-eval': () => withPickle(callPickle('builtins', 'eval', '__import__("os").abort()')),
  'pickle-stack-global': () =>
    withPickle(raw([0x80, 4], short('posix'), short('system'), [0x93, 0x28], short('id'), 'tR.')),
  'pickle-memo-loop': () => withPickle(raw([0x80, 2, 0x5d, 0x71, 0], 'h\u0000a', '.')),
  'pickle-deep-nesting': () =>
    withPickle(Buffer.concat([raw([0x80, 2]), Buffer.alloc(200_000, 0x28), raw('.')])),
  'pickle-memo-bomb': () =>
    withPickle(
      Buffer.concat([raw([0x80, 2, 0x5d]), ...Array.from({ length: 50_000 }, (_, i) => rawPut(i)), raw('.')]),
    ),
  'pickle-truncated': () => withPickle(tensorPickle([4, 1]).subarray(0, 40)),
  'pickle-not-contiguous': () => withPickle(tensorPickle([1, 4])),
  'zip-compressed-entry': () =>
    zip([{ name: 'archive/data.pkl', bytes: tensorPickle([4, 1]), compressed: true }, storage]),
  'zip-prepended-data': () =>
    zip([{ name: 'archive/data.pkl', bytes: tensorPickle([4, 1]) }, storage], {
      prefix: Buffer.alloc(1000, 0x2e),
    }),
  'zip-long-comment': () =>
    zip([{ name: 'archive/data.pkl', bytes: tensorPickle([4, 1]) }, storage], {
      comment: Buffer.alloc(65_535, 0x63),
    }),
  'zip-two-pickles': () =>
    zip([
      { name: 'archive/data.pkl', bytes: tensorPickle([4, 1]) },
      { name: 'other/data.pkl', bytes: callPickle('os', 'system', 'id') },
      storage,
    ]),
  'zip-big-endian': () =>
    zip([
      { name: 'archive/data.pkl', bytes: tensorPickle([4, 1]) },
      { name: 'archive/byteorder', bytes: Buffer.from('big') },
      storage,
    ]),
  'zip-without-directory': () =>
    zip([{ name: 'archive/data.pkl', bytes: tensorPickle([4, 1]) }, storage]).subarray(0, 120),
  'zip-name-climbs-out': () => zip([{ name: '../../data.pkl', bytes: tensorPickle([4, 1]) }, storage]),
};

function rawPut(index: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x72;
  bytes.writeUInt32LE(index, 1);
  return bytes;
}
