import { HublineageError } from '../../types/errors.ts';

/** Walks over a pickle's bytes. HeaderTruncated when they end: a prefix was too short, or the file is cut off. */
export interface PickleBytes {
  readonly position: number;
  u8(): number;
  u16(): number;
  i32(): number;
  u32(): number;
  /** As a number; PickleRefused beyond 2^53. */
  u64(): number;
  f64(): number;
  bytes(length: number): Uint8Array;
  text(length: number): string;
  /** Up to the next newline, which is consumed. */
  line(): string;
}

const MAX_LINE_BYTES = 65_536;
const utf8 = new TextDecoder();

export function createPickleBytes(data: Uint8Array, start: number): PickleBytes {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let position = start;
  const take = (length: number): number => {
    if (position + length > data.length) {
      throw new HublineageError('HeaderTruncated', 'the pickle ends before its STOP');
    }
    const at = position;
    position += length;
    return at;
  };
  const bytes = (length: number) => {
    const at = take(length);
    return data.subarray(at, at + length);
  };
  return {
    get position() {
      return position;
    },
    u8: () => view.getUint8(take(1)),
    u16: () => view.getUint16(take(2), true),
    i32: () => view.getInt32(take(4), true),
    u32: () => view.getUint32(take(4), true),
    u64() {
      const value = view.getBigUint64(take(8), true);
      if (value > 2n ** 53n) throw new HublineageError('PickleRefused', `a length of ${value} in the pickle`);
      return Number(value);
    },
    f64: () => view.getFloat64(take(8), false),
    bytes,
    text: (length) => utf8.decode(bytes(length)),
    line() {
      const end = data.subarray(0, position + MAX_LINE_BYTES).indexOf(10, position);
      if (end < 0 && data.length - position >= MAX_LINE_BYTES) {
        throw new HublineageError(
          'PickleRefused',
          `a text line longer than ${MAX_LINE_BYTES} bytes in the pickle`,
        );
      }
      const text = utf8.decode(bytes(end < 0 ? data.length - position + 1 : end - position));
      position++;
      return text;
    },
  };
}
