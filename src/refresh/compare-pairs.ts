import { adapterFits, pairKey } from '../audit/index.ts';
import { relatedness } from '../lineage/index.ts';
import type { FingerprintSummary, SampleLoader } from '../types/fingerprint.ts';
import type { Relatedness } from '../types/lineage.ts';
import { throwIfAborted } from './stopping.ts';

/** Pairs whose samples are in memory at once: some hundred kilobytes a model. */
const PAIRS_A_BATCH = 64;

export interface Pair {
  child: string;
  other: string;
}

interface PairWork {
  summaries: ReadonlyMap<string, FingerprintSummary>;
  load: SampleLoader;
  signal: AbortSignal;
}

/** How each pair's weights compare, by `pairKey`; pairs without samples are missing. */
export async function comparePairs(
  pairs: readonly Pair[],
  work: PairWork,
): Promise<Map<string, Relatedness>> {
  const compared = new Map<string, Relatedness>();
  for (let start = 0; start < pairs.length; start += PAIRS_A_BATCH) {
    throwIfAborted(work.signal);
    const batch = pairs.slice(start, start + PAIRS_A_BATCH);
    const samples = await work.load([...new Set(batch.flatMap(({ child, other }) => [child, other]))]);
    for (const { child, other } of batch) {
      const [a, b] = [work.summaries.get(child), work.summaries.get(other)];
      const [tensorsA, tensorsB] = [samples.get(child), samples.get(other)];
      if (!a || !b || !tensorsA || !tensorsB) continue;
      const result = relatedness(
        { summary: a, tensors: tensorsA },
        { summary: b, tensors: tensorsB },
        { pairs: pairs.length },
      );
      compared.set(pairKey(child, other), result);
    }
  }
  return compared;
}

/** Whether each adapter could have been trained on the base it declares, by shapes alone; what cannot be told is missing. */
export async function fitAdapters(pairs: readonly Pair[], work: PairWork): Promise<Map<string, boolean>> {
  const fits = new Map<string, boolean>();
  for (let start = 0; start < pairs.length; start += PAIRS_A_BATCH) {
    throwIfAborted(work.signal);
    const batch = pairs.slice(start, start + PAIRS_A_BATCH);
    const bases = await work.load([...new Set(batch.map(({ other }) => other))]);
    for (const { child, other } of batch) {
      const adapter = work.summaries.get(child)?.adapter;
      const tensors = bases.get(other);
      if (!adapter || !tensors) continue;
      const fit = adapterFits(adapter.targetShapes, tensors);
      if (fit !== null) fits.set(pairKey(child, other), fit);
    }
  }
  return fits;
}
