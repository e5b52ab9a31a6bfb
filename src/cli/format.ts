/** 1234567 -> `1,234,567` */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Bytes in the unit a person would choose, decimal as on the Hub. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

/** `3 repos`, `1 repo` */
export function formatNumber(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** Control characters would let a model card write to the reader's terminal. */
export function toPrintable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) =>
    character === '\t' || character === '\n' ? ' ' : '\ufffd',
  );
}

/** Rows as an aligned table; numbers to the right, long cells cut at `maxWidth`. */
export function formatTable(
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
  maxWidth = 60,
): string {
  const cells = rows.map((row) =>
    row.map((value) =>
      cut(toPrintable(value === null || value === undefined ? '' : String(value)), maxWidth),
    ),
  );
  // no spread: as arguments, some hundred thousand rows overflow the stack
  const widths = columns.map((name, index) =>
    cells.reduce((widest, row) => Math.max(widest, (row[index] ?? '').length), name.length),
  );
  const numeric = columns.map(
    (_, index) =>
      rows.length > 0 && rows.every((row) => row[index] === null || typeof row[index] === 'number'),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) =>
        numeric[index] ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(columns), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(line)].join('\n');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
