export type RangeAnswer =
  | { kind: 'whole' }
  | { kind: 'part'; start: number; end: number }
  | { kind: 'unsatisfiable' }
  | { kind: 'several' };

/**
 * A Range header against a size (RFC 9110, 14): what is malformed or not in bytes is ignored, an end beyond the file is
 * cut, a start at or beyond it cannot be satisfied. `end` is inclusive.
 */
export function parseRange(header: string | undefined, size: number): RangeAnswer {
  if (header === undefined) return { kind: 'whole' };
  const match = /^bytes=(.*)$/.exec(header.trim());
  if (match === null) return { kind: 'whole' };
  const specs = (match[1] ?? '').split(',').map((spec) => spec.trim());
  if (specs.length > 1) return { kind: 'several' };
  const bounds = /^(\d*)-(\d*)$/.exec(specs[0] ?? '');
  if (bounds === null) return { kind: 'whole' };
  const [, from = '', to = ''] = bounds;
  if (from === '' && to === '') return { kind: 'whole' };
  if (from === '') {
    const count = Number(to);
    if (count === 0 || size === 0) return { kind: 'unsatisfiable' };
    return { kind: 'part', start: Math.max(0, size - count), end: size - 1 };
  }
  const start = Number(from);
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < start) return { kind: 'whole' };
  if (start >= size) return { kind: 'unsatisfiable' };
  return { kind: 'part', start, end };
}
