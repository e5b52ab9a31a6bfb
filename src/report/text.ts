/** Numbers and dates as reports show them: one style, no locale, no clock. */

/** 1,234,567 */
export const grouped = (value: number): string =>
  String(Math.trunc(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** 6.7 B, 125 M, 12 k, 999: model sizes and downloads at a glance. */
export function compact(value: number): string {
  for (const [size, unit] of [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    // 999,950 rounds up to the next unit rather than to "1000 k"
    if (value >= size * 0.99995) {
      const scaled = value / size;
      return `${scaled >= 99.95 ? scaled.toFixed(0) : scaled >= 9.995 ? scaled.toFixed(1).replace(/\.0$/, '') : scaled.toFixed(2).replace(/\.?0+$/, '')} ${unit}`;
    }
  }
  return String(Math.trunc(value));
}

/** 97 %, 99.6 %, 100 % only for certainty. */
export function probability(value: number | null): string {
  if (value === null) return '–';
  const share = value * 100;
  if (value >= 1) return '100 %';
  if (share >= 99.95) return '> 99.9 %';
  return share >= 99 ? `${share.toFixed(1)} %` : share > 0 && share < 0.5 ? '< 1 %' : `${share.toFixed(0)} %`;
}

/** bytes in powers of 1,000, as disks and quotas count */
export function bytes(value: number): string {
  for (const [size, unit] of [
    [1e12, 'TB'],
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ] as const) {
    if (value >= size) return `${(value / size).toFixed(value >= size * 10 ? 0 : 1)} ${unit}`;
  }
  return `${value} B`;
}

/** Up to four significant digits, for values of probes. */
export function measured(value: number | null): string {
  if (value === null) return '–';
  if (!Number.isFinite(value)) return String(value);
  if (value === 0 || Number.isInteger(value))
    return Math.abs(value) < 1e7 ? grouped(value).replace('-', '−') : value.toExponential(2);
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-4 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace(/^-/, '−');
}

/** `2026-11-21 22:03 UTC` out of ISO 8601; other text as it came. */
export function moment(iso: string | null): string {
  if (iso === null) return 'not finished';
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})/.exec(iso);
  return match ? `${match[1]} ${match[2]} UTC` : iso;
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`;
