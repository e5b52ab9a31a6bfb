/** Sum of squares. */
export function powerOf(values: Float32Array): number {
  let power = 0;
  for (let i = 0; i < values.length; i++) power += values[i]! * values[i]!;
  return power;
}
