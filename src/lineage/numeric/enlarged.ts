/** A copy with room for `length` numbers. */
export function enlarged<T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(
  old: T,
  Type: { new (length: number): T },
  length: number,
): T {
  const next = new Type(length);
  next.set(old);
  return next;
}
