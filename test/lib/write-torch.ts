import { createByteWriter } from './byte-writer.ts';

export interface TorchTensorSpec {
  name: string;
  /** `FloatStorage`, `HalfStorage`, ... */
  storage: string;
  key: string;
  count: number | bigint;
  shape: number[];
  stride?: number[];
  offset?: number;
}

const rowMajor = (shape: number[]) => shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));

/** Opcodes of Python's pickle, protocol 2, as torch uses them. */
export interface Pickler {
  /** opcodes without arguments, by their characters; numbers for those that have none */
  op(...codes: (string | number)[]): Pickler;
  int(value: number | bigint): Pickler;
  string(value: string): Pickler;
  global(module: string, name: string): Pickler;
  tuple(values: readonly number[]): Pickler;
  done(): Uint8Array;
}

export function createPickler(): Pickler {
  const out = createByteWriter().u8(128).u8(2);
  const pickler: Pickler = {
    op(...codes) {
      for (const code of codes) typeof code === 'string' ? out.text(code) : out.u8(code);
      return pickler;
    },
    int(value) {
      if (typeof value === 'number' && value >= 0 && value < 2 ** 31) out.text('J').u32(value);
      else
        out
          .u8(138)
          .u8(8)
          .u64(BigInt.asUintN(64, BigInt(value)));
      return pickler;
    },
    string(value) {
      const bytes = new TextEncoder().encode(value);
      out.text('X').u32(bytes.length).bytes(bytes);
      return pickler;
    },
    global(module, name) {
      out.text(`c${module}\n${name}\n`);
      return pickler;
    },
    tuple(values) {
      out.text('(');
      for (const value of values) pickler.int(value);
      out.text('t');
      return pickler;
    },
    done: () => out.done(),
  };
  return pickler;
}

/** `{name: tensor}` as torch.save pickles it; `wrapper` puts it under a key. */
export function pickleStateDict(
  tensors: TorchTensorSpec[],
  options: { wrapper?: string; legacy?: boolean } = {},
): Uint8Array {
  const p = createPickler();
  if (options.wrapper !== undefined) p.op('}').string(options.wrapper);
  p.op('}(');
  for (const tensor of tensors) {
    p.string(tensor.name).global('torch._utils', '_rebuild_tensor_v2').op('((');
    p.string('storage').global('torch', tensor.storage).string(tensor.key).string('cpu').int(tensor.count);
    p.op(options.legacy ? 'NtQ' : 'tQ')
      .int(tensor.offset ?? 0)
      .tuple(tensor.shape);
    p.tuple(tensor.stride ?? rowMajor(tensor.shape)).op(137);
    p.global('collections', 'OrderedDict').op(')RtR');
  }
  return p.op(options.wrapper === undefined ? 'u.' : 'us.').done();
}

export interface ZipEntrySpec {
  name: string;
  data: Uint8Array;
  method?: number;
}

export interface ZipSpec {
  entries: ZipEntrySpec[];
  comment?: Uint8Array;
  /** bytes before the archive that its offsets do not count */
  prefix?: Uint8Array;
  /** sizes and offsets as 0xffffffff with the truth in ZIP64 fields */
  zip64Fields?: boolean;
  /** no ZIP64 record and locator */
  plainEnd?: boolean;
  alignment?: number;
  /** lies */
  directoryOffset?: number | bigint;
  entryCount?: number | bigint;
  sizes?: number;
}

/** A zip archive as PyTorchStreamWriter writes it: stored, padded to 64 bytes, data descriptors, ZIP64 record. */
export function writeTorchZip(spec: ZipSpec): Uint8Array {
  const { alignment = 64, comment = new Uint8Array() } = spec;
  const out = createByteWriter();
  const central = createByteWriter();
  const all = 0xffffffff;
  for (const { name, data, method = 0 } of spec.entries) {
    const at = out.length;
    const nameBytes = new TextEncoder().encode(name);
    const padding = (alignment - ((at + 30 + nameBytes.length + 4) % alignment)) % alignment;
    out.u32(0x04034b50).u16(20).u16(0x0808).u16(method).u32(0).u32(0).u32(0).u32(0);
    out
      .u16(nameBytes.length)
      .u16(4 + padding)
      .bytes(nameBytes)
      .text('FB')
      .u16(padding)
      .bytes(new Uint8Array(padding));
    out.bytes(data).u32(0x08074b50).u32(0).u32(data.length).u32(data.length);
    const size = spec.sizes ?? data.length;
    const wide = spec.zip64Fields === true;
    central.u32(0x02014b50).u16(20).u16(20).u16(0x0808).u16(method).u32(0).u32(0);
    central
      .u32(wide ? all : size)
      .u32(wide ? all : size)
      .u16(nameBytes.length)
      .u16(wide ? 28 : 0);
    central
      .u16(0)
      .u16(0)
      .u16(0)
      .u32(0)
      .u32(wide ? all : at)
      .bytes(nameBytes);
    if (wide) central.u16(1).u16(24).u64(size).u64(size).u64(at);
  }
  const directoryAt = spec.directoryOffset ?? out.length;
  const directory = central.done();
  out.bytes(directory);
  const recordAt = out.length;
  const count = spec.entryCount ?? spec.entries.length;
  if (!spec.plainEnd) {
    out
      .u32(0x06064b50)
      .u64(44)
      .u16(20)
      .u16(20)
      .u32(0)
      .u32(0)
      .u64(count)
      .u64(count)
      .u64(directory.length)
      .u64(directoryAt);
    out.u32(0x07064b50).u32(0).u64(recordAt).u32(1);
  }
  const small = (value: number | bigint, max: number) => Math.min(Number(value), max);
  out.u32(0x06054b50).u16(0).u16(0).u16(small(count, 0xffff)).u16(small(count, 0xffff));
  out.u32(directory.length).u32(small(directoryAt, all)).u16(comment.length).bytes(comment);
  const archive = out.done();
  return spec.prefix ? Uint8Array.from([...spec.prefix, ...archive]) : archive;
}

/** The legacy stream: five pickles, then each storage with its count. */
export function writeTorchLegacy(
  object: Uint8Array,
  storages: { key: string; count: number; data: Uint8Array }[],
  littleEndian = true,
): Uint8Array {
  const out = createByteWriter();
  out.bytes([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]);
  out.bytes([0x80, 2]).text('M').u16(1001).text('.');
  const system = createPickler()
    .op('}')
    .string('little_endian')
    .op(littleEndian ? 136 : 137, 's.');
  out.bytes(system.done()).bytes(object);
  const keys = createPickler().op('](');
  for (const { key } of storages) keys.string(key);
  out.bytes(keys.op('e.').done());
  for (const { count, data } of storages) out.u64(count).bytes(data);
  return out.done();
}
