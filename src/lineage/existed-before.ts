const HOUR_MS = 3_600_000;

/** Whether what existed by one time may be the source of what existed by another (both in ms): uploads of one hour are often batches. */
export function existedBefore(source: number, made: number): boolean {
  return source <= made + HOUR_MS;
}
