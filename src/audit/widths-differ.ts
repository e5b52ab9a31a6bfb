import type { ModelWidths } from '../types/weights.ts';
import type { ModelShape } from './types.ts';

/** Widths that training, rounding, casting and merging leave as they are; depth and vocabulary may change on the way. */
const FIXED: readonly (keyof ModelWidths)[] = ['hidden', 'crossAttention'];

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
