import { describe, expect, it } from 'vitest';
import { formatTable } from './format.ts';

describe('formatTable', () => {
  it('aligns numbers to the right, and cuts long cells', () => {
    const table = formatTable(
      ['name', 'n'],
      [
        ['abc', 5],
        ['x'.repeat(9), 10],
        [null, null],
      ],
      6,
    );
    expect(table.split('\n')).toEqual(['name     n', '------  --', 'abc      5', 'xxxxx…  10', '']);
  });

  it('holds as many rows as `sql --limit` may ask for', () => {
    const rows = Array.from({ length: 300_000 }, (_, i) => [i]);
    expect(formatTable(['i'], rows).endsWith('\n299999')).toBe(true);
  });
});
