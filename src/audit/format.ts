/** Numbers and lists as sentences show them; the same digits on every machine. */

/** A probability; 1 is left to certainty. */
export function chanceText(value: number): string {
  if (value >= 1) return '1';
  if (value > 0.994) return 'over 0.99';
  return value < 0.005 ? 'under 0.01' : value.toFixed(2);
}

/** With a real minus sign; plain zero for what rounds to nothing. */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** 0.8 %, 12 %, 0.05 %. */
export function percent(share: number): string {
  const value = share * 100;
  const size = Math.abs(value);
  const digits = size >= 10 ? 0 : size >= 0.095 ? 1 : 2;
  return size > 0 && size < 0.005 ? 'under 0.01 %' : `${value.toFixed(digits)} %`;
}

/** "a", "a and b", "a, b and 3 more". */
export function joinNames(names: readonly string[], limit = 4): string {
  const shown =
    names.length > limit ? [...names.slice(0, limit - 1), `${names.length - limit + 1} more`] : [...names];
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
}
