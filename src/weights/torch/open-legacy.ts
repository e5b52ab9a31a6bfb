import { HublineageError, isHublineageError } from '../../types/errors.ts';
import type { ByteSource } from '../../types/hub.ts';
import { DTYPE_BITS } from '../dtypes.ts';
import { MAX_PICKLE_BYTES, type PickleResult, runPickle } from './pickle-machine.ts';
import { isKind, type PickleStorage, type PickleValue } from './pickle-values.ts';
import { findStateDict, noStateDict } from './state-dict.ts';
import { type StoragePlace, toNotes, toTensors } from './to-tensors.ts';
import type { TorchContents } from './types.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
const FIRST_PREFIX_BYTES = 64 * 1024;
const COUNT_BYTES = 8;

interface Prefix {
  readonly root: PickleResult;
  readonly keys: readonly string[];
  readonly bigEndian: boolean;
  /** byte where the first storage begins */
  readonly end: number;
  readonly bytes: Uint8Array;
}

function invalid(message: string, where: string): never {
  throw new HublineageError('HeaderInvalid', message, { where });
}

/** The five pickles before the storages: magic, protocol, system, the object, the keys of the storages in order. */
function parsePrefix(bytes: Uint8Array, where: string): Prefix {
  const magic = runPickle(bytes, 0);
  if (magic.value !== MAGIC) invalid('not the magic number of a legacy torch file', where);
  const protocol = runPickle(bytes, magic.end);
  if (protocol.value !== PROTOCOL) invalid(`legacy protocol ${String(protocol.value).slice(0, 40)}`, where);
  const system = runPickle(bytes, protocol.end);
  const littleEndian = isKind(system.value, 'dict') ? system.value.entries.get('little_endian') : undefined;
  const root = runPickle(bytes, system.end);
  const keys = runPickle(bytes, root.end);
  if (!isKind(keys.value, 'list') || !keys.value.items.every((key) => typeof key === 'string')) {
    invalid('the list of storages is missing', where);
  }
  return {
    root,
    keys: keys.value.items as string[],
    bigEndian: littleEndian === false,
    end: keys.end,
    bytes,
  };
}

/** Nothing tells how long the pickles are, so the prefix doubles until they fit. */
async function readPrefix(source: ByteSource): Promise<Prefix> {
  let wanted = FIRST_PREFIX_BYTES;
  for (;;) {
    const bytes = await source.read(0, Math.min(wanted, source.size));
    try {
      return parsePrefix(bytes, source.path);
    } catch (error) {
      const mayGrow = bytes.length < Math.min(source.size, MAX_PICKLE_BYTES);
      if (!isHublineageError(error, 'HeaderTruncated') || !mayGrow) throw error;
      wanted = Math.min(bytes.length * 4, MAX_PICKLE_BYTES);
    }
  }
}

/** Every storage the object names, by key; found in the tensors of any dictionary, since all of them take room in the file. */
function collectStorages(root: PickleValue): Map<string, PickleStorage> {
  const storages = new Map<string, PickleStorage>();
  const seen = new Set<PickleValue>();
  const open: PickleValue[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (isKind(value, 'storage')) storages.set(value.key, value);
    else if (isKind(value, 'tensor')) open.push(value.storage);
    else if (isKind(value, 'dict')) for (const item of value.entries.values()) open.push(item);
    else if (isKind(value, 'list') || isKind(value, 'tuple')) for (const item of value.items) open.push(item);
  }
  return storages;
}

/** No offsets are stored: each storage follows the one before, a count of values in 8 bytes and the values. */
function placeStorages({ root, keys, end, bytes }: Prefix, source: ByteSource): Map<string, StoragePlace> {
  const where = source.path;
  const storages = collectStorages(root.value);
  const places = new Map<string, StoragePlace>();
  let at = end;
  for (const key of keys) {
    const storage = storages.get(key);
    if (storage === undefined)
      invalid(`the storage ${key.slice(0, 40)} belongs to no tensor that could be read`, where);
    const itemBytes = storage.dtype === null ? 1 : DTYPE_BITS[storage.dtype] / 8;
    const length = storage.length * itemBytes;
    if (at + COUNT_BYTES <= bytes.length) {
      const stored = new DataView(bytes.buffer, bytes.byteOffset + at, COUNT_BYTES).getBigInt64(0, true);
      if (stored !== BigInt(storage.length))
        invalid(`the storage ${key.slice(0, 40)} lies about its length`, where);
    }
    places.set(key, { offset: at + COUNT_BYTES, length });
    at += COUNT_BYTES + length;
    if (at > source.size) {
      throw new HublineageError(
        'OffsetInvalid',
        `the storages need ${at} bytes, the file has ${source.size}`,
        {
          where,
          hint: 'the file is cut off or still uploading',
        },
      );
    }
  }
  return places;
}

/** torch.save before 1.6: five pickles in a row, then the storages in the order of the last one. */
export async function openTorchLegacy(source: ByteSource): Promise<TorchContents> {
  const prefix = await readPrefix(source);
  const stateDict = findStateDict(prefix.root.value);
  if (stateDict === null) {
    throw noStateDict(prefix.root.inertNames, source.path);
  }
  const places = placeStorages(prefix, source);
  const tensors = toTensors(
    stateDict,
    source.path,
    ({ storage }) => places.get(storage.key) ?? null,
    prefix.bigEndian,
  );
  return {
    container: 'torch-legacy',
    tensors,
    notes: toNotes(stateDict, tensors, prefix.root.inertNames),
  };
}
