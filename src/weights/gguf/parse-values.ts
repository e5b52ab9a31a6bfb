import { HublineageError } from '../../types/errors.ts';
import { findStringsEnd, LONG_LIST } from './find-strings-end.ts';
import type { HeaderCursor } from './header-cursor.ts';
import type { GgufValue } from './types.ts';

const MAX_KEYS = 65_536;
/** The specification allows 2^16 - 1 bytes a key. */
const MAX_KEY_BYTES = 65_535;
/** Longer strings (chat templates, licences) are skipped: nothing here reads them. */
const MAX_STORED_STRING_BYTES = 4_096;
const MAX_STORED_VALUES = 4_096;

/** A token or merge with its length; only the first chunk of an array is sized by it. */
const GUESSED_STRING_BYTES = 16;

const STRING = 8;
const ARRAY = 9;
/** Bytes of the fixed-size value types by id. */
export const SCALAR_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

const utf8 = new TextDecoder();

/** 64-bit integers stay exact: as numbers while they fit, as decimal strings beyond. */
function fromBigInt(value: bigint): GgufValue {
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value.toString();
}

function toScalar(type: number, bytes: Uint8Array): GgufValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case 0:
      return view.getUint8(0);
    case 1:
      return view.getInt8(0);
    case 2:
      return view.getUint16(0, true);
    case 3:
      return view.getInt16(0, true);
    case 4:
      return view.getUint32(0, true);
    case 5:
      return view.getInt32(0, true);
    case 6:
      return view.getFloat32(0, true);
    case 7:
      return view.getUint8(0) !== 0;
    case 10:
      return fromBigInt(view.getBigUint64(0, true));
    case 11:
      return fromBigInt(view.getBigInt64(0, true));
    default:
      return view.getFloat64(0, true);
  }
}

/** How the long lists of strings that tokenizers bring are passed. */
export interface ListReading {
  /** whether the end of a long list may be looked for; otherwise each string is walked */
  mayGuess: boolean;
  /** keys of the lists whose end was found that way */
  guessed: string[];
}

/** Steps over an array's elements; strings have to be walked where their end cannot be guessed, everything else is one jump. */
async function skipArray(
  cursor: HeaderCursor,
  key: string,
  where: string,
  lists: ListReading,
): Promise<void> {
  await cursor.need(12);
  const elementType = cursor.u32();
  const count = cursor.u64(`length of the array ${key}`);
  const elementBytes = SCALAR_BYTES[elementType];
  if (elementBytes !== undefined) return cursor.skip(count * elementBytes);
  if (elementType !== STRING) {
    throw new HublineageError('HeaderInvalid', `the array ${key} holds elements of type ${elementType}`, {
      where,
    });
  }
  const start = cursor.position;
  if (lists.mayGuess && count >= LONG_LIST) {
    const end = await findStringsEnd(cursor, count);
    if (end !== null) {
      lists.guessed.push(key);
      return cursor.skip(end - start);
    }
  }
  for (let i = 0; i < count; i++) {
    if (!cursor.has(8)) {
      const averageBytes = i === 0 ? GUESSED_STRING_BYTES : (cursor.position - start) / i;
      await cursor.need(8, (count - i) * averageBytes);
    }
    cursor.skip(cursor.u64(`length of a string in ${key}`));
  }
}

async function readValue(
  cursor: HeaderCursor,
  key: string,
  where: string,
  lists: ListReading,
): Promise<GgufValue | null> {
  await cursor.need(4);
  const type = cursor.u32();
  const scalarBytes = SCALAR_BYTES[type];
  if (scalarBytes !== undefined) {
    await cursor.need(scalarBytes);
    return toScalar(type, cursor.bytes(scalarBytes));
  }
  if (type === ARRAY) {
    await skipArray(cursor, key, where, lists);
    return null;
  }
  if (type !== STRING) {
    throw new HublineageError('HeaderInvalid', `the value of ${key} has the unknown type ${type}`, { where });
  }
  await cursor.need(8);
  const length = cursor.u64(`length of ${key}`);
  if (length > MAX_STORED_STRING_BYTES) {
    cursor.skip(length);
    return null;
  }
  await cursor.need(length);
  return utf8.decode(cursor.bytes(length));
}

/** Reads `count` key-value pairs; arrays, long strings and the tokenizer's settings are passed over without being stored. */
export async function parseValues(
  cursor: HeaderCursor,
  count: number,
  where: string,
  lists: ListReading,
): Promise<Map<string, GgufValue>> {
  if (count > MAX_KEYS) {
    throw new HublineageError('HeaderTooLarge', `the header announces ${count} keys`, { where });
  }
  const values = new Map<string, GgufValue>();
  const seen = new Set<string>();
  for (let i = 0; i < count; i++) {
    await cursor.need(8);
    const keyBytes = cursor.u64('length of a key');
    if (keyBytes > MAX_KEY_BYTES) {
      throw new HublineageError('HeaderInvalid', `a key of ${keyBytes} bytes`, { where });
    }
    await cursor.need(keyBytes);
    const key = utf8.decode(cursor.bytes(keyBytes));
    if (seen.has(key)) throw new HublineageError('HeaderInvalid', `the key ${key} appears twice`, { where });
    seen.add(key);
    const value = await readValue(cursor, key, where, lists);
    const wanted = !key.startsWith('tokenizer.') && values.size < MAX_STORED_VALUES;
    if (value !== null && wanted) values.set(key, value);
  }
  return values;
}
