/** Order by code units: the same on every machine, whatever its locale. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Counts of each key, in the order given by `order`, or by count and then name. */
export function countBy<T, K extends string>(
  items: Iterable<T>,
  keyOf: (item: T) => K,
): { key: K; count: number }[] {
  const counts = new Map<K, number>();
  for (const item of items) {
    const key = keyOf(item);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .map(([key, count]) => ({ key, count }))
    .sort((a, b) => b.count - a.count || byText(a.key, b.key));
}
