import { HublineageError } from '../../types/errors.ts';

/** One tensor as the header's JSON says it, nothing checked but the JSON types. */
export interface HeaderEntry {
  name: string;
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

export interface HeaderJson {
  entries: HeaderEntry[];
  metadata: Record<string, string>;
}

/** Bounds that real files stay far below: a Llama has a few thousand tensors, the largest known repos spread theirs over hundreds of shards. */
export const MAX_TENSORS = 65_536;
const MAX_NAME_BYTES = 1024;
const MAX_DIMS = 16;
const MAX_METADATA_KEYS = 512;
/** Longer values (kohya's `ss_tag_frequency` runs to megabytes) are cut to this many characters. */
const MAX_METADATA_CHARS = 2048;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses a safetensors header: an object of tensors plus `__metadata__`. Not JSON.parse, because that hides duplicate keys (parsers
 * differ on which one wins, so a file could mean two things), and because 25 MB of nested brackets would cost it gigabytes.
 * This grammar has no nesting beyond the format's own, so cost is linear and small. Errors: HeaderInvalid, HeaderTooLarge, ShapeInvalid, OffsetInvalid.
 */
export function parseHeaderJson(bytes: Uint8Array, where: string): HeaderJson {
  let at = 0;
  const fail = (what: string): never => {
    throw new HublineageError('HeaderInvalid', `header is not a safetensors header: ${what} at byte ${at}`, {
      where,
    });
  };
  const skipSpace = () => {
    while (at < bytes.length) {
      const byte = bytes[at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      at++;
    }
  };
  const peek = (): number => {
    skipSpace();
    return bytes[at] ?? -1;
  };
  const expectByte = (byte: number, what: string) => {
    if (peek() !== byte) fail(`no ${what}`);
    at++;
  };
  const readString = (maxBytes: number): string => {
    expectByte(QUOTE, 'string');
    const start = at;
    let escaped = false;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) break;
      if (byte < 0x20) fail('a control character in a string');
      if (byte === BACKSLASH) {
        escaped = true;
        at++;
      }
    }
    if (at >= bytes.length) fail('a string without end');
    const raw = bytes.subarray(start, at);
    at++;
    if (raw.length > maxBytes) {
      throw new HublineageError('HeaderTooLarge', `a string of ${raw.length} bytes, ${maxBytes} allowed`, {
        where,
      });
    }
    try {
      const text = utf8.decode(raw);
      return escaped ? (JSON.parse(`"${text}"`) as string) : text;
    } catch {
      return fail('a string that is not UTF-8 or has a bad escape');
    }
  };
  const readInteger = (code: 'ShapeInvalid' | 'OffsetInvalid'): number => {
    skipSpace();
    const start = at;
    let value = 0;
    for (; at < bytes.length; at++) {
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const next = bytes[at];
    const leadingZero = at - start > 1 && bytes[start] === 0x30;
    if (at === start || leadingZero || next === 0x2e || next === 0x65 || next === 0x45) {
      throw new HublineageError(code, `not a whole number from 0 at byte ${start} of the header`, { where });
    }
    if (value > Number.MAX_SAFE_INTEGER) {
      throw new HublineageError(code, `a number beyond 2^53 at byte ${start} of the header`, { where });
    }
    return value;
  };
  const readIntegers = (max: number, code: 'ShapeInvalid' | 'OffsetInvalid'): number[] => {
    expectByte(OPEN_BRACKET, 'array');
    const numbers: number[] = [];
    if (peek() === CLOSE_BRACKET) {
      at++;
      return numbers;
    }
    for (;;) {
      if (numbers.length >= max)
        throw new HublineageError(code, `more than ${max} numbers in an array`, { where });
      numbers.push(readInteger(code));
      if (peek() === COMMA) at++;
      else break;
    }
    expectByte(CLOSE_BRACKET, 'end of array');
    return numbers;
  };
  /** Calls `onKey` for each key, the cursor behind its colon. */
  const readObject = (maxKeyBytes: number, onKey: (key: string) => void) => {
    expectByte(OPEN_BRACE, 'object');
    if (peek() === CLOSE_BRACE) {
      at++;
      return;
    }
    for (;;) {
      const key = readString(maxKeyBytes);
      expectByte(COLON, 'colon');
      onKey(key);
      if (peek() === COMMA) at++;
      else break;
    }
    expectByte(CLOSE_BRACE, 'end of object');
  };

  const readMetadata = (): Record<string, string> => {
    const pairs = new Map<string, string>();
    readObject(bytes.length, (key) => {
      if (pairs.has(key)) fail(`the metadata key ${JSON.stringify(key.slice(0, 80))} twice`);
      const value = readString(bytes.length);
      if (pairs.size < MAX_METADATA_KEYS && key.length <= MAX_NAME_BYTES) {
        pairs.set(key, value.slice(0, MAX_METADATA_CHARS));
      }
    });
    return Object.fromEntries(pairs);
  };
  const readEntry = (name: string): HeaderEntry => {
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    readObject(32, (key) => {
      const seen =
        key === 'dtype' ? dtype : key === 'shape' ? shape : key === 'data_offsets' ? offsets : undefined;
      if (seen !== undefined) fail(`${key} twice in ${JSON.stringify(name)}`);
      if (key === 'dtype') dtype = readString(32);
      else if (key === 'shape') shape = readIntegers(MAX_DIMS, 'ShapeInvalid');
      else if (key === 'data_offsets') offsets = readIntegers(2, 'OffsetInvalid');
      else fail(`an unknown field ${JSON.stringify(key)}`);
    });
    if (dtype === undefined || shape === undefined || offsets?.length !== 2) {
      return fail(`${JSON.stringify(name)} without dtype, shape or two data_offsets`);
    }
    return { name, dtype, shape, begin: offsets[0] as number, end: offsets[1] as number };
  };

  const entries = new Map<string, HeaderEntry>();
  let metadata: Record<string, string> | undefined;
  if (bytes[0] !== OPEN_BRACE) fail('no { as first byte');
  readObject(MAX_NAME_BYTES, (key) => {
    if (key === '__metadata__') {
      if (metadata !== undefined) fail('__metadata__ twice');
      metadata = readMetadata();
      return;
    }
    if (entries.has(key)) fail(`the tensor ${JSON.stringify(key.slice(0, 120))} twice`);
    if (entries.size >= MAX_TENSORS) {
      throw new HublineageError('HeaderTooLarge', `more than ${MAX_TENSORS} tensors in one header`, {
        where,
      });
    }
    entries.set(key, readEntry(key));
  });
  skipSpace();
  if (at !== bytes.length) fail('something after the closing }');
  return { entries: [...entries.values()], metadata: metadata ?? {} };
}
