import { HublineageError } from '../../src/types/errors.ts';
import type { RepoFiles } from '../../src/types/hub.ts';
import type { ByteRange, CanonicalTensor, Family, ModelWeights } from '../../src/types/weights.ts';
import { layerOf, roleOf } from '../../src/weights/index.ts';
import type { NamedShape } from './real-shapes.ts';

export interface FormulaOptions {
  family: Family;
  dtype: 'F32' | 'BF16' | 'F16';
  kind?: 'full' | 'adapter';
  /** order of tensors in the files: by name as safetensors are written, or as listed (modules, as .bin files are) */
  order?: 'name' | 'listed';
  shards?: number;
  /** value at a place; by default a small number exact in all three formats, a function of name, row and column */
  value?: (name: string, row: number, col: number) => number;
  undecodable?: (name: string) => boolean;
  /** values a block, as in ggml's formats: segments must be aligned to it */
  blockCols?: number;
}

export interface FormulaModel {
  weights: ModelWeights;
  files: RepoFiles;
  fileBytes: number;
  reads: ByteRange[];
}

/** A model of any size whose bytes are computed when they are read. */
export function createFormulaModel(tensors: readonly NamedShape[], options: FormulaOptions): FormulaModel {
  const { dtype, family, shards = 1, value = exactValue, blockCols = 1 } = options;
  const size = dtype === 'F32' ? 4 : 2;
  const byName = [...tensors].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  const inFile = options.order === 'listed' ? tensors : byName;
  const places = new Map<string, { file: string; offset: number }>();
  const ends = new Map<string, number>();
  inFile.forEach(([name, shape], i) => {
    const file = `model-${Math.floor((i * shards) / inFile.length)}`;
    const offset = ends.get(file) ?? 4096;
    places.set(name, { file, offset });
    ends.set(file, offset + product(shape) * size);
  });
  const regions = inFile.map(([name, shape]) => ({
    name,
    cols: toMatrix(shape).cols,
    bytes: product(shape) * size,
    ...(places.get(name) as { file: string; offset: number }),
  }));
  const reads: ByteRange[] = [];
  const toBytes = (file: string, from: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    for (const region of regions) {
      if (region.file !== file) continue;
      const start = Math.max(from, region.offset);
      const end = Math.min(from + length, region.offset + region.bytes);
      for (let at = start; at < end; at += size) {
        const index = (at - region.offset) / size;
        const x = value(region.name, Math.floor(index / region.cols), index % region.cols);
        writeValue(view, at - from, x, dtype);
      }
    }
    return bytes;
  };
  const canonical = byName.map(([name, shape]): CanonicalTensor => {
    const { rows, cols } = toMatrix(shape);
    const { file, offset } = places.get(name) as { file: string; offset: number };
    const decodable = !options.undecodable?.(name);
    return {
      name,
      role: options.kind === 'adapter' ? 'lora' : roleOf(name),
      layer: layerOf(name),
      shape,
      rows,
      cols,
      dtype,
      encoding: 'plain',
      decodable,
      blockCols: shape.length > 1 ? blockCols : 1,
      segmentRanges(row, col, count) {
        const aligned =
          shape.length < 2 ||
          (col % blockCols === 0 && ((col + count) % blockCols === 0 || col + count === cols));
        if (!decodable || !aligned || row >= rows || col + count > cols || count < 1)
          throw new HublineageError('OffsetInvalid', `${name} ${row} ${col} ${count}`);
        return [{ file, offset: offset + (row * cols + col) * size, length: count * size }];
      },
      decodeSegment: ([bytes], _row, _col, count) => {
        const view = new DataView(bytes?.buffer ?? new ArrayBuffer(0), bytes?.byteOffset, bytes?.byteLength);
        return Float32Array.from({ length: count }, (_, i) => readValue(view, i * size, dtype));
      },
    };
  });
  const source = (path: string) => ({
    path,
    size: ends.get(path) ?? 0,
    sha256: null,
    async read(offset: number, length: number) {
      reads.push({ file: path, offset, length });
      return toBytes(path, offset, length);
    },
  });
  return {
    weights: {
      family,
      architecture: family === 'llama' ? 'LlamaForCausalLM' : 'UNet2DConditionModel',
      kind: options.kind ?? 'full',
      container: 'safetensors',
      format: shards > 1 ? 'safetensors-sharded' : 'safetensors',
      dtype,
      quantized: false,
      params: tensors.reduce((sum, [, shape]) => sum + product(shape), 0),
      widths: {
        hidden: null,
        intermediate: null,
        heads: null,
        kvHeads: null,
        headDim: null,
        layers: null,
        vocab: null,
        crossAttention: null,
      },
      tensors: canonical,
      adapter: null,
      files: [...ends].map(([path, bytes]) => ({ path, size: bytes, sha256: null })),
      metadata: {},
      notes: [],
    },
    files: {
      label: 'formula/model',
      list: async () => [...ends].map(([path, bytes]) => ({ path, size: bytes, oid: null, sha256: null })),
      open: async (path) => source(path),
      readSmall: async (path) => {
        throw new HublineageError('FileMissing', path);
      },
    },
    fileBytes: [...ends.values()].reduce((sum, bytes) => sum + bytes, 0),
    reads,
  };
}

/** Multiples of 1/256 below 1/2 in magnitude: exact in F32, F16 and BF16. */
export function exactValue(name: string, row: number, col: number): number {
  let h = 17;
  for (let i = 0; i < name.length; i++) h = Math.imul(h, 31) + name.charCodeAt(i);
  h = Math.imul(h ^ Math.imul(row + 1, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(col + 1, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (((h >>> 9) % 255) - 127) / 256;
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function toMatrix(shape: readonly number[]): { rows: number; cols: number } {
  return shape.length < 2
    ? { rows: 1, cols: shape[0] ?? 1 }
    : { rows: shape[0] as number, cols: product(shape.slice(1)) };
}

const word = new DataView(new ArrayBuffer(4));

function writeValue(view: DataView, at: number, x: number, dtype: 'F32' | 'BF16' | 'F16'): void {
  word.setFloat32(0, x);
  const bits = word.getUint32(0);
  if (dtype === 'F32') view.setUint32(at, bits, true);
  else if (dtype === 'BF16') view.setUint16(at, bits >>> 16, true);
  else view.setUint16(at, toHalf(bits), true);
}

/** Normal numbers only; enough for the formulas here. */
function toHalf(bits: number): number {
  if ((bits & 0x7fffffff) === 0) return (bits >>> 16) & 0x8000;
  return ((bits >>> 16) & 0x8000) | ((((bits >>> 23) & 0xff) - 112) << 10) | ((bits >>> 13) & 0x3ff);
}

function readValue(view: DataView, at: number, dtype: 'F32' | 'BF16' | 'F16'): number {
  if (dtype === 'F32') return view.getFloat32(at, true);
  const half = view.getUint16(at, true);
  if (dtype === 'BF16') {
    word.setUint32(0, half * 0x10000);
    return word.getFloat32(0);
  }
  const magnitude =
    (half & 0x7fff) === 0 ? 0 : (1 + (half & 0x3ff) / 1024) * 2 ** (((half >>> 10) & 0x1f) - 15);
  return half & 0x8000 ? -magnitude : magnitude;
}
