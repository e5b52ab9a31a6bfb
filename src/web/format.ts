/** Numbers and dates as the pages show them; the same style as the reports, no locale. */

/** 1,234,567 */
export function grouped(value: number): string {
  return String(Math.trunc(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `1 model`, `1,234 models` */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** 6.7 B, 125 M, 12 k: sizes and downloads at a glance. */
export function compact(value: number): string {
  for (const [size, unit] of [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    // 999,950 rounds up to the next unit rather than to "1000 k"
    if (value >= size * 0.99995) return `${Number((value / size).toPrecision(3))}\u00a0${unit}`;
  }
  return String(Math.trunc(value));
}

/** 97 %, 99.6 %; 100 % only for certainty, so that a rounded number never claims it. */
export function percent(value: number | null): string {
  if (value === null) return '–';
  const share = value * 100;
  if (value >= 1) return '100\u00a0%';
  if (share >= 99.95) return '>\u00a099.9\u00a0%';
  if (share > 0 && share < 0.5) return '<\u00a01\u00a0%';
  return `${share >= 99 ? share.toFixed(1) : share.toFixed(0)}\u00a0%`;
}

/** bytes in powers of 1,000, as disks and quotas count */
export function bytes(value: number): string {
  for (const [size, unit] of [
    [1e12, 'TB'],
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ] as const) {
    if (value >= size) return `${(value / size).toFixed(value >= size * 10 ? 0 : 1)}\u00a0${unit}`;
  }
  return `${value}\u00a0B`;
}

/** Up to four significant digits, with a real minus. */
export function measured(value: number | null): string {
  if (value === null) return '–';
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const text =
    size !== 0 && (size >= 1e7 || size < 1e-4)
      ? value.toExponential(2)
      : Number.isInteger(value)
        ? grouped(value)
        : String(Number(value.toPrecision(4)));
  return text.replace(/^-/, '−');
}

/** Log-odds with their sign: +2.35, −0.14, 0. */
export function signed(value: number): string {
  if (Math.abs(value) < 0.005) return '0';
  return `${value > 0 ? '+' : '−'}${Math.abs(value).toFixed(2)}`;
}

/** `2026-11-21 22:03 UTC` out of ISO 8601; other text as it came. */
export function moment(iso: string | null): string {
  if (iso === null) return 'not finished';
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})/.exec(iso);
  return match ? `${match[1]} ${match[2]} UTC` : iso;
}

/** Ages in words: `3 minutes`, `2 days`. */
export function duration(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 120) return plural(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return hours < 48 ? plural(hours, 'hour') : plural(Math.round(hours / 24), 'day');
}
