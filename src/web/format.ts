import { bytes as bytesText, compact as compactText, plural, probability } from '../report/index.ts';

/** Numbers and dates as the pages show them: the reports' own, held together where a line may break. */

export { grouped, measured, moment, plural } from '../report/index.ts';

const solid = (text: string) => text.replaceAll(' ', '\u00a0');

export const compact = (value: number): string => solid(compactText(value));
export const percent = (value: number | null): string => solid(probability(value));
export const bytes = (value: number): string => solid(bytesText(value));

/** Log-odds with their sign: +2.35, −0.14, 0. */
export function signed(value: number): string {
  if (Math.abs(value) < 0.005) return '0';
  return `${value > 0 ? '+' : '−'}${Math.abs(value).toFixed(2)}`;
}

/** Ages in words: `3 minutes`, `2 days`. */
export function duration(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 120) return plural(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return hours < 48 ? plural(hours, 'hour') : plural(Math.round(hours / 24), 'day');
}
