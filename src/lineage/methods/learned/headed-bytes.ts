/** Arrays one after another as float32, little endian. */
export function toFloatBytes(arrays: readonly Float32Array[]): Uint8Array {
  const bytes = new Uint8Array(4 * arrays.reduce((sum, a) => sum + a.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const array of arrays)
    for (const value of array) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  return bytes;
}

/** The arrays again. `refuse` makes the error for bytes of another length or values that are no numbers. */
export function fromFloatBytes(
  bytes: Uint8Array,
  sizes: readonly number[],
  refuse: (why: string) => Error,
): Float32Array[] {
  if (bytes.length !== 4 * sizes.reduce((a, b) => a + b, 0))
    throw refuse('the weights do not have the size the description says');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  return sizes.map((size) => {
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++, at += 4) {
      const value = view.getFloat32(at, true);
      if (!Number.isFinite(value)) throw refuse('a weight is not a number');
      values[i] = value;
    }
    return values;
  });
}

/** A line of JSON, then bytes. */
export function toHeadedBytes(head: Record<string, unknown>, body: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(`${JSON.stringify(head)}\n`);
  const bytes = new Uint8Array(text.length + body.length);
  bytes.set(text);
  bytes.set(body, text.length);
  return bytes;
}

/** The line and what follows it; `refuse` makes the error where the first line is no JSON object. */
export function fromHeadedBytes(
  bytes: Uint8Array,
  refuse: (why: string) => Error,
): { head: Record<string, unknown>; body: Uint8Array } {
  const end = bytes.indexOf(0x0a);
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, Math.max(0, end))));
  } catch {
    throw refuse('its first line is not JSON');
  }
  if (typeof head !== 'object' || head === null) throw refuse('its first line is not JSON');
  return { head: head as Record<string, unknown>, body: bytes.subarray(end + 1) };
}
