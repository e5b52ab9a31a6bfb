import { signed } from '../format.ts';
import { type Html, html } from '../html.ts';

export interface Sum {
  name: string;
  /** natural logarithm */
  logOdds: number;
}

/** px */
const ROW = 26;
const NAME = 180;
const PLOT = 380;
const NUMBER = 64;

/** Log-odds as steps, each beginning where the one before ended, down to their sum: a waterfall. */
export function sumSvg(steps: readonly Sum[], total: number): Html {
  let running = 0;
  const bars = steps.map((step) => {
    const from = running;
    running += step.logOdds;
    return { ...step, from, to: running };
  });
  const ends = [0, total, ...bars.flatMap((bar) => [bar.from, bar.to])];
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  const scale = PLOT / Math.max(1e-9, high - low);
  const x = (value: number) => Number((NAME + (value - low) * scale).toFixed(1));
  const width = NAME + PLOT + NUMBER;
  const height = (bars.length + 1) * ROW + 8;
  const line = (y: number, name: string, from: number, to: number, text: string, kind: string) =>
    html`<text class="name" x="${NAME - 10}" y="${y + 17}" text-anchor="end">${name}</text><rect class="${kind}" x="${Math.min(x(from), x(to))}" y="${y + 5}" width="${Math.max(1.5, Math.abs(x(to) - x(from))).toFixed(1)}" height="${ROW - 10}" rx="3"/><text class="value" x="${Math.max(x(from), x(to)) + 8}" y="${y + 17}">${text}</text>`;
  return html`<svg class="sum" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Log-odds of ${steps.length} findings adding up to ${signed(total)}; the table below has the numbers">
<path class="zero" d="M${x(0)} 0V${height}"/>
${bars.map((bar, i) => line(i * ROW, bar.name, bar.from, bar.to, signed(bar.logOdds), bar.logOdds > 0 ? 'good' : 'bad'))}
${line(bars.length * ROW, 'sum', 0, total, signed(total), 'total')}
</svg>`;
}
