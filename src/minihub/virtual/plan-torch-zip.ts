import type { FilePlan, Segment } from './file-plan.ts';
import { tensorBytes } from './file-plan.ts';
import type { VirtualDtype } from './model.ts';
import type { NamedTensor } from './plan-safetensors.ts';
import { countValues } from './tensor-spec.ts';

const STORAGE: Record<VirtualDtype, string> = {
  F32: 'FloatStorage',
  F16: 'HalfStorage',
  BF16: 'BFloat16Storage',
};
/** Bit 3: sizes follow the data; bit 11: names are UTF-8. */
const FLAGS = 0x0808;
const ZIP64_LIMIT = 0xffffffff;

/**
 * A checkpoint as torch.save writes it: stored zip entries on 64-byte boundaries, `data.pkl` first, one storage a tensor,
 * ZIP64 records. CRC fields are 0 for storages: the sum over gigabytes that exist as a formula is not known, and readers
 * of ranges cannot check it anyway.
 */
export function planTorchZip(
  path: string,
  tensors: readonly NamedTensor[],
  dtype: VirtualDtype,
  wrapper: 'state_dict' | null,
): FilePlan {
  // what torch calls the folder when it saves to a buffer; one layout serves every model's name
  const root = 'archive';
  const segments: Segment[] = [];
  const central: Buffer[] = [];
  let at = 0;
  let entries = 0;
  const put = (bytes: Uint8Array) => {
    segments.push({ offset: at, length: bytes.length, bytes });
    at += bytes.length;
  };
  const entry = (name: string, size: number, body: (offset: number) => Segment) => {
    const fullName = Buffer.from(`${root}/${name}`);
    const start = at;
    put(localHeader(fullName, start));
    segments.push(body(at));
    at += size;
    put(dataDescriptor(size, start));
    central.push(centralHeader(fullName, size, start));
    entries++;
  };
  const pickle = toPickle(tensors, dtype, wrapper);
  entry('data.pkl', pickle.length, (offset) => ({ offset, length: pickle.length, bytes: pickle }));
  tensors.forEach(({ tensor }, i) => {
    const length = tensorBytes(countValues(tensor.shape), dtype);
    entry(`data/${i}`, length, (offset) => ({ offset, length, tensor, format: dtype, ggufOrder: false }));
  });
  const version = Buffer.from('3\n');
  entry('version', version.length, (offset) => ({ offset, length: version.length, bytes: version }));
  const directory = Buffer.concat(central);
  const directoryAt = at;
  put(directory);
  put(endRecords(entries, directory.length, directoryAt, at));
  return { path, size: at, segments };
}

/**
 * 30 bytes, name, a ZIP64 offset where the entry begins beyond 4 GB, and an `FB` extra that pads the data to a multiple of 64
 * (getPadding in PyTorch's inline_container.cc).
 */
function localHeader(name: Buffer, start: number): Buffer {
  const zip64 = start >= ZIP64_LIMIT ? toZip64Offset(start) : Buffer.alloc(0);
  const unpadded = start + 30 + name.length + zip64.length + 4;
  const padding = (64 - (unpadded % 64)) % 64;
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(zip64.length + 4 + padding, 28);
  const filler = Buffer.alloc(4 + padding, 'Z');
  filler.write('FB', 0, 'latin1');
  filler.writeUInt16LE(padding, 2);
  return Buffer.concat([header, name, zip64, filler]);
}

function toZip64Offset(start: number): Buffer {
  const extra = Buffer.alloc(12);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8, 2);
  extra.writeBigUInt64LE(BigInt(start), 4);
  return extra;
}

/** Sizes after the data: 32 bits wide, or 64 where the entry begins beyond 4 GB. */
function dataDescriptor(size: number, start: number): Buffer {
  const wide = start >= ZIP64_LIMIT;
  const descriptor = Buffer.alloc(wide ? 24 : 16);
  descriptor.writeUInt32LE(0x08074b50, 0);
  if (wide) {
    descriptor.writeBigUInt64LE(BigInt(size), 8);
    descriptor.writeBigUInt64LE(BigInt(size), 16);
  } else {
    descriptor.writeUInt32LE(size, 8);
    descriptor.writeUInt32LE(size, 12);
  }
  return descriptor;
}

function centralHeader(name: Buffer, size: number, start: number): Buffer {
  const zip64 = start >= ZIP64_LIMIT ? toZip64Offset(start) : Buffer.alloc(0);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(FLAGS, 8);
  header.writeUInt32LE(size, 20);
  header.writeUInt32LE(size, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(zip64.length, 30);
  header.writeUInt32LE(Math.min(start, ZIP64_LIMIT), 42);
  return Buffer.concat([header, name, zip64]);
}

/** ZIP64 end record, its locator, and the plain end record: torch always writes all three. */
function endRecords(entries: number, directoryBytes: number, directoryAt: number, at: number): Buffer {
  const end = Buffer.alloc(56 + 20 + 22);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE(0x31e, 12);
  end.writeUInt16LE(45, 14);
  end.writeBigUInt64LE(BigInt(entries), 24);
  end.writeBigUInt64LE(BigInt(entries), 32);
  end.writeBigUInt64LE(BigInt(directoryBytes), 40);
  end.writeBigUInt64LE(BigInt(directoryAt), 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(at), 64);
  end.writeUInt32LE(1, 72);
  end.writeUInt32LE(0x06054b50, 76);
  end.writeUInt16LE(Math.min(entries, 0xffff), 84);
  end.writeUInt16LE(Math.min(entries, 0xffff), 86);
  end.writeUInt32LE(directoryBytes, 88);
  end.writeUInt32LE(Math.min(directoryAt, ZIP64_LIMIT), 92);
  return end;
}

/** Protocol 2, the opcodes torch's own pickler emits for a state dict of plain tensors. */
function toPickle(
  tensors: readonly NamedTensor[],
  dtype: VirtualDtype,
  wrapper: 'state_dict' | null,
): Buffer {
  const parts: Buffer[] = [];
  const op = (...bytes: number[]) => parts.push(Buffer.from(bytes));
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    const head = Buffer.alloc(5);
    head.write('X', 'latin1');
    head.writeUInt32LE(bytes.length, 1);
    parts.push(head, bytes);
  };
  const global = (module: string, name: string) => parts.push(Buffer.from(`c${module}\n${name}\n`));
  const int = (value: number) => {
    // LONG1 above what BININT's signed 32 bits hold: storages of the largest embeddings come close
    if (value <= 0xff) return op(0x4b, value);
    if (value <= 0x7fffffff) {
      const bytes = Buffer.alloc(5);
      bytes[0] = 0x4a;
      bytes.writeInt32LE(value, 1);
      return parts.push(bytes);
    }
    const bytes = Buffer.alloc(10);
    bytes[0] = 0x8a;
    bytes[1] = 8;
    bytes.writeBigInt64LE(BigInt(value), 2);
    return parts.push(bytes);
  };
  const tuple = (values: readonly number[]) => {
    op(0x28);
    for (const value of values) int(value);
    op(0x74);
  };
  op(0x80, 2);
  if (wrapper !== null) {
    op(0x7d, 0x28);
    text(wrapper);
  }
  global('collections', 'OrderedDict');
  op(0x29, 0x52, 0x28);
  tensors.forEach(({ name, tensor }, i) => {
    const count = countValues(tensor.shape);
    text(name);
    global('torch._utils', '_rebuild_tensor_v2');
    op(0x28, 0x28);
    text('storage');
    global('torch', STORAGE[dtype]);
    text(String(i));
    text('cpu');
    int(count);
    op(0x74, 0x51);
    int(0);
    tuple(tensor.shape);
    tuple(tensor.shape.map((_, d) => countValues(tensor.shape.slice(d + 1))));
    op(0x89);
    global('collections', 'OrderedDict');
    op(0x29, 0x52, 0x74, 0x52);
  });
  op(0x75);
  if (wrapper !== null) op(0x75);
  op(0x2e);
  return Buffer.concat(parts);
}
