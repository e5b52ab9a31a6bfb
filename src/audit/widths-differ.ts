import type { ModelWidths } from '../types/weights.ts';
import type { ModelShape } from './types.ts';

/** Widths that training, rounding, casting and merging leave as they are; depth and vocabulary may change on the way. */
const FIXED: readonly (keyof ModelWidths)[] = ['hidden', 'crossAttention'];

/** Widths an adapter's factors are bound to; depth may exceed and vocabulary is checked elsewhere. */
const ADAPTER_BOUND: readonly (keyof ModelWidths)[] = [
  'hidden',
  'intermediate',
  'heads',
  'kvHeads',
  'headDim',
  'crossAttention',
];

/** Whether two models agree in every width that decides if an adapter fits, at least one of them known. */
export function sameWidths(a: ModelShape, b: ModelShape): boolean {
  return (
    a.family === b.family &&
    ADAPTER_BOUND.every((width) => a.widths[width] === b.widths[width]) &&
    ADAPTER_BOUND.some((width) => a.widths[width] !== null)
  );
}

/**
 * Whether two models have no matrix in common for a reason that lies in the models: another family, or another width. False where that
 * is not known: "could not be compared" has other causes too (position schemes, undecodable formats), and those accuse nobody.
 */
export function widthsDiffer(a: ModelShape | null, b: ModelShape | null): boolean {
  if (a === null || b === null) return false;
  if (a.family !== b.family) return true;
  return FIXED.some((width) => {
    const [ours, theirs] = [a.widths[width], b.widths[width]];
    return ours !== null && theirs !== null && ours !== theirs;
  });
}
