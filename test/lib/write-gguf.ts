import { type ByteWriter, createByteWriter } from './byte-writer.ts';

/** Value type ids of GGUF's keys. */
export const GGUF = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

export interface GgufKey {
  key: string;
  type: number;
  /** a number, a string, or for arrays {type, items}; long ones of float32 as a Float32Array */
  value: number | bigint | string | { type: number; items: (number | string)[] | Float32Array };
}

export interface GgufTensorSpec {
  name: string;
  /** as in Hugging Face: slowest first */
  shape: (number | bigint)[];
  typeId: number;
  data?: Uint8Array;
  /** instead of the place it gets by itself */
  offset?: number | bigint;
}

export interface GgufSpec {
  version?: number;
  keys?: GgufKey[];
  tensors?: GgufTensorSpec[];
  alignment?: number;
  /** lies about the counts */
  tensorCount?: number | bigint;
  keyCount?: number | bigint;
}

export const text = (key: string, value: string): GgufKey => ({ key, type: GGUF.string, value });
export const u32 = (key: string, value: number): GgufKey => ({ key, type: GGUF.u32, value });

function putScalar(out: ByteWriter, type: number, value: number | bigint | string): void {
  if (type === GGUF.string) {
    const bytes = new TextEncoder().encode(String(value));
    out.u64(bytes.length).bytes(bytes);
    return;
  }
  const view = new DataView(new ArrayBuffer(8));
  const n = Number(value);
  const [size, set] = {
    [GGUF.u8]: [1, () => view.setUint8(0, n)],
    [GGUF.i8]: [1, () => view.setInt8(0, n)],
    [GGUF.u16]: [2, () => view.setUint16(0, n, true)],
    [GGUF.i16]: [2, () => view.setInt16(0, n, true)],
    [GGUF.u32]: [4, () => view.setUint32(0, n, true)],
    [GGUF.i32]: [4, () => view.setInt32(0, n, true)],
    [GGUF.f32]: [4, () => view.setFloat32(0, n, true)],
    [GGUF.bool]: [1, () => view.setUint8(0, n)],
    [GGUF.u64]: [8, () => view.setBigUint64(0, BigInt(value), true)],
    [GGUF.i64]: [8, () => view.setBigInt64(0, BigInt(value), true)],
    [GGUF.f64]: [8, () => view.setFloat64(0, n, true)],
  }[type] as [number, () => void];
  set();
  out.bytes(new Uint8Array(view.buffer, 0, size));
}

/** A GGUF file as the specification lays it out; every lie has to be asked for. */
export function writeGguf(spec: GgufSpec): Uint8Array {
  const { keys = [], tensors = [], alignment = 32 } = spec;
  const out = createByteWriter();
  out
    .text('GGUF')
    .u32(spec.version ?? 3)
    .u64(spec.tensorCount ?? tensors.length)
    .u64(spec.keyCount ?? keys.length);
  for (const { key, type, value } of keys) {
    putScalar(out, GGUF.string, key);
    out.u32(type);
    if (typeof value !== 'object') putScalar(out, type, value);
    else {
      out.u32(value.type).u64(value.items.length);
      const { items } = value;
      if (items instanceof Float32Array) out.bytes(new Uint8Array(items.buffer));
      else for (const item of items) putScalar(out, value.type, item);
    }
  }
  let next = 0;
  for (const tensor of tensors) {
    putScalar(out, GGUF.string, tensor.name);
    out.u32(tensor.shape.length);
    for (const dim of [...tensor.shape].reverse()) out.u64(dim);
    out.u32(tensor.typeId).u64(tensor.offset ?? next);
    next += Math.ceil((tensor.data?.length ?? 0) / alignment) * alignment;
  }
  out.pad(alignment);
  for (const tensor of tensors) out.bytes(tensor.data ?? []).pad(alignment);
  return out.done();
}
