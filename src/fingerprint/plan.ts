import type { ByteRange } from '../types/weights.ts';
import type { SamplingBudget } from './scheme.ts';

/** Ranges one tensor needs; the plan takes an item whole or not at all. */
export interface PlanItem {
  ranges: readonly ByteRange[];
}

export interface ReadPlan<T extends PlanItem> {
  /** items that fit, in the order given */
  items: T[];
  /** what to ask for: sorted by file and offset, not overlapping */
  requests: ByteRange[];
  bytes: number;
}

/**
 * Bytes worth reading in vain to save a request, in the order tried. On the Hub's CDN a request costs as much time as some hundred
 * kilobytes, but bytes are bounded too: 32 KiB joins a norm to the matrix beside it without doubling what is read.
 */
const GAPS = [32_768, 16_384, 8192, 4096, 1024, 0, 65_536, 131_072, 262_144] as const;

/** Longest single request: bounds what a failed one costs to repeat. */
const MAX_REQUEST_BYTES = 1 << 20;

/**
 * Takes the longest prefix of `items` that fits the budget, then every later item that costs no further request. Items come in order
 * of priority, so what is dropped is the least important whatever the layout of the file.
 */
export function planReads<T extends PlanItem>(items: readonly T[], budget: SamplingBudget): ReadPlan<T> {
  const sorted = sortRanges(items);
  // smallest prefix that does not fit, by bisection: joins make the number of requests only nearly monotone, so the result is checked
  let low = 0;
  let high = items.length;
  let best = tryGaps(sorted, (rank) => rank < items.length, budget);
  if (best === null) {
    best = { requests: [], bytes: 0, gap: GAPS[0] };
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const plan = tryGaps(sorted, (rank) => rank < middle, budget);
      if (plan === null) high = middle;
      else {
        low = middle;
        best = plan;
      }
    }
  } else low = items.length;
  const taken = new Set(Array.from({ length: low }, (_, rank) => rank));
  if (low < items.length) best = addFree(items, taken, sorted, best, budget);
  return { items: items.filter((_, rank) => taken.has(rank)), requests: best.requests, bytes: best.bytes };
}

interface RankedRange extends ByteRange {
  rank: number;
}

interface Requests {
  requests: ByteRange[];
  bytes: number;
  gap: number;
}

function sortRanges(items: readonly PlanItem[]): RankedRange[] {
  const all = items.flatMap(({ ranges }, rank) => ranges.map((range) => ({ ...range, rank })));
  return all.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.offset - b.offset));
}

function tryGaps(
  sorted: readonly RankedRange[],
  wanted: (rank: number) => boolean,
  budget: SamplingBudget,
): Requests | null {
  const ranges = sorted.filter(({ rank }) => wanted(rank));
  for (const gap of GAPS) {
    const plan = joinRanges(ranges, gap);
    if (plan.requests.length <= budget.maxRequests && plan.bytes <= budget.maxBytes) return plan;
  }
  return null;
}

/** Joins sorted ranges less than `gap` bytes apart into requests. */
function joinRanges(sorted: readonly ByteRange[], gap: number): Requests {
  const requests: ByteRange[] = [];
  let last: ByteRange | undefined;
  let bytes = 0;
  for (const { file, offset, length } of sorted) {
    const end = offset + length;
    const near = last !== undefined && last.file === file && offset - (last.offset + last.length) <= gap;
    if (near && last !== undefined) {
      const joined = Math.max(last.length, end - last.offset);
      // overlapping ranges stay in one request whatever its length, so that no byte is paid for twice
      if (joined <= MAX_REQUEST_BYTES || offset < last.offset + last.length) {
        bytes += joined - last.length;
        last.length = joined;
        continue;
      }
    }
    last = { file, offset, length };
    requests.push(last);
    bytes += length;
  }
  return { requests, bytes, gap };
}

/** Adds items whose ranges all lie within a gap of a request that is made anyway. */
function addFree(
  items: readonly PlanItem[],
  taken: Set<number>,
  sorted: readonly RankedRange[],
  base: Requests,
  budget: SamplingBudget,
): Requests {
  const before = new Set(taken);
  let bytes = base.bytes;
  items.forEach((item, rank) => {
    if (before.has(rank)) return;
    const cost = item.ranges.map((range) => costBeside(base.requests, range, base.gap));
    const extra = cost.reduce((sum, bytesMore) => sum + bytesMore, 0);
    if (bytes + extra > budget.maxBytes) return;
    bytes += extra;
    taken.add(rank);
  });
  const plan = joinRanges(
    sorted.filter(({ rank }) => taken.has(rank)),
    base.gap,
  );
  if (plan.requests.length <= budget.maxRequests && plan.bytes <= budget.maxBytes) return plan;
  // the extension ran into MAX_REQUEST_BYTES somewhere: give all of it up rather than search
  for (const rank of taken) if (!before.has(rank)) taken.delete(rank);
  return base;
}

/** Bytes by which the nearest request grows to cover the range; Infinity when none is within the gap. */
function costBeside(requests: readonly ByteRange[], range: ByteRange, gap: number): number {
  const end = range.offset + range.length;
  const at = findLast(requests, range.file, range.offset);
  const left = requests[at];
  let cost = Number.POSITIVE_INFINITY;
  if (left !== undefined && left.file === range.file) {
    const leftEnd = left.offset + left.length;
    if (range.offset - leftEnd <= gap) cost = Math.max(0, end - leftEnd);
  }
  const right = requests[at + 1];
  if (right !== undefined && right.file === range.file && right.offset - end <= gap)
    cost = Math.min(cost, right.offset - range.offset);
  return cost;
}

/** Index of the last request of `file` that starts at or before `offset`, or the place before the first later one. */
export function findLast(requests: readonly ByteRange[], file: string, offset: number): number {
  let low = 0;
  let high = requests.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const request = requests[middle] as ByteRange;
    const after = request.file > file || (request.file === file && request.offset > offset);
    if (after) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}
