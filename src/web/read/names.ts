/** A JSON array of names as a view gives it; a row that holds none is an empty list rather than a broken page. */
export function toNames(json: string): string[] {
  try {
    const list: unknown = JSON.parse(json);
    return Array.isArray(list) ? list.map(String) : [];
  } catch {
    return [];
  }
}
