import { HublineageError } from '../../types/errors.ts';
import type { DType } from '../../types/weights.ts';
import { isKind, type PickleStorage, type PickleTensor, type PickleValue, toInert } from './pickle-values.ts';

/** Storage classes by their name in `torch`, `torch.cuda` or `torch.storage`; null = untyped bytes. */
const STORAGES: Readonly<Record<string, DType | null>> = {
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  DoubleStorage: 'F64',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
  ComplexFloatStorage: 'C64',
  UntypedStorage: null,
  _UntypedStorage: null,
};

/** dtypes as `_rebuild_tensor_v3` names them, used with untyped storages. */
const DTYPES: Readonly<Record<string, DType>> = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float64: 'F64',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  bool: 'BOOL',
  complex64: 'C64',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  float8_e4m3fnuz: 'F8_E4M3FNUZ',
  float8_e5m2fnuz: 'F8_E5M2FNUZ',
  float8_e8m0fnu: 'F8_E8M0',
};

const MAX_DIMS = 16;
const storageName = /^torch(?:\.cuda|\.storage)?\.(\w+)$/;
const dtypeName = /^torch\.(\w+)$/;

function lookUp<T>(table: Readonly<Record<string, T>>, name: string | undefined): T | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

const storageDtypeOf = (name: string) => lookUp(STORAGES, storageName.exec(name)?.[1]);

/** Reproduces what each whitelisted callable would give; undefined when the arguments are not what torch writes. */
const CALLS: Readonly<Record<string, (args: readonly PickleValue[]) => PickleValue | undefined>> = {
  'collections.OrderedDict': toOrderedDict,
  'torch._utils._rebuild_tensor': toTensor,
  'torch._utils._rebuild_tensor_v2': toTensor,
  'torch._utils._rebuild_tensor_v3': ([storage, offset, size, stride, , , dtype]) =>
    toTensor([storage ?? null, offset ?? null, size ?? null, stride ?? null], dtypeOf(dtype)),
  'torch._utils._rebuild_parameter': ([data]) => data,
  'torch._utils._rebuild_parameter_with_state': ([data]) => data,
  'torch._tensor._rebuild_from_type_v2': ([rebuild, , args]) =>
    isKind(rebuild, 'global') && rebuild.name.startsWith('torch._utils.') && isKind(args, 'tuple')
      ? callGlobal(rebuild.name, args.items)
      : undefined,
  'torch.Size': ([items]) => (isKind(items, 'list') ? { kind: 'tuple', items: items.items } : items),
};

/** A name in a pickle: on the whitelist, or an inert marker. */
export function toGlobal(module: string, name: string): PickleValue {
  const full = `${module}.${name}`;
  const allowed =
    Object.hasOwn(CALLS, full) ||
    storageDtypeOf(full) !== undefined ||
    lookUp(DTYPES, dtypeName.exec(full)?.[1]) !== undefined;
  return allowed ? { kind: 'global', name: full } : toInert(full);
}

/** What calling a whitelisted name would give, computed here; inert when it cannot be told. */
export function callGlobal(name: string, args: readonly PickleValue[]): PickleValue {
  const call = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
  return call?.(args) ?? toInert(name);
}

function toOrderedDict([pairs]: readonly PickleValue[]): PickleValue {
  const entries = new Map<string, PickleValue>();
  const items = isKind(pairs, 'list') || isKind(pairs, 'tuple') ? pairs.items : [];
  for (const pair of items) {
    if (!isKind(pair, 'list') && !isKind(pair, 'tuple')) continue;
    const [key, value = null] = pair.items;
    if (typeof key === 'string') entries.set(key, value);
  }
  return { kind: 'dict', entries };
}

/** A persistent id ('storage', class, key, location, count[, view]) as the storage it names; null for anything else. */
export function toStorage(id: PickleValue): PickleStorage | null {
  if (!isKind(id, 'tuple')) return null;
  const [tag, type, key, location, length, view] = id.items;
  if (tag !== 'storage' || !isKind(type, 'global') || typeof key !== 'string') return null;
  const dtype = storageDtypeOf(type.name);
  if (dtype === undefined || !isCount(length)) return null;
  const place = typeof location === 'string' ? location : '';
  if (view === undefined || view === null)
    return { kind: 'storage', key, dtype, length, viewOffset: 0, location: place };
  // Legacy only: (key of the view, its offset, its size) within the storage whose bytes the file holds.
  if (!isKind(view, 'tuple') || !isCount(view.items[1])) return null;
  return { kind: 'storage', key, dtype, length, viewOffset: view.items[1], location: place };
}

const isCount = (value: PickleValue | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

function dtypeOf(value: PickleValue | undefined): DType | null {
  if (!isKind(value, 'global')) return null;
  return lookUp(DTYPES, dtypeName.exec(value.name)?.[1]) ?? null;
}

function toCounts(value: PickleValue | undefined): number[] | null {
  if (!isKind(value, 'tuple') && !isKind(value, 'list')) return null;
  if (value.items.length > MAX_DIMS) {
    throw new HublineageError('ShapeInvalid', `a tensor of ${value.items.length} dimensions`);
  }
  return value.items.every(isCount) ? [...(value.items as number[])] : null;
}

function toTensor(args: readonly PickleValue[], ownDtype: DType | null = null): PickleTensor | undefined {
  const [storage, offset, size, strides] = args;
  const shape = toCounts(size);
  const stride = toCounts(strides);
  if (!isKind(storage, 'storage') || !isCount(offset) || shape === null || stride === null) return undefined;
  const dtype = ownDtype ?? storage.dtype;
  if (dtype === null || shape.length !== stride.length) return undefined;
  return { kind: 'tensor', storage, dtype, offset, shape, stride };
}
