/** Little-endian bytes, put together piece by piece. */
export interface ByteWriter {
  readonly length: number;
  u8(value: number): ByteWriter;
  u16(value: number): ByteWriter;
  u32(value: number): ByteWriter;
  u64(value: number | bigint): ByteWriter;
  bytes(data: ArrayLike<number>): ByteWriter;
  text(text: string): ByteWriter;
  pad(alignment: number): ByteWriter;
  done(): Uint8Array;
}

export function createByteWriter(): ByteWriter {
  const parts: Uint8Array[] = [];
  let length = 0;
  const put = (data: Uint8Array) => {
    parts.push(data);
    length += data.length;
    return writer;
  };
  const number = (size: number, set: (view: DataView) => void) => {
    const data = new Uint8Array(size);
    set(new DataView(data.buffer));
    return put(data);
  };
  const writer: ByteWriter = {
    get length() {
      return length;
    },
    u8: (value) => number(1, (view) => view.setUint8(0, value)),
    u16: (value) => number(2, (view) => view.setUint16(0, value, true)),
    u32: (value) => number(4, (view) => view.setUint32(0, value, true)),
    u64: (value) => number(8, (view) => view.setBigUint64(0, BigInt(value), true)),
    bytes: (data) => put(data instanceof Uint8Array ? data : Uint8Array.from(data)),
    text: (text) => put(new TextEncoder().encode(text)),
    pad: (alignment) => put(new Uint8Array((alignment - (length % alignment)) % alignment)),
    done() {
      const all = new Uint8Array(length);
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    },
  };
  return writer;
}
