import { SCHEME_VERSION } from '../fingerprint/index.ts';
import type { RunContext } from './context.ts';

interface Analyser {
  version: number;
  scheme: string;
}

/**
 * The version fingerprints are kept under. It grows whenever fingerprints of before could not be compared with those of now (another
 * position scheme, seed or number of values), and only then is everything read again.
 */
export async function readAnalyserVersion(context: RunContext): Promise<number> {
  const scheme = describeScheme(context.config.sampling);
  const last = await context.store.getCursor<Analyser>('analyser');
  if (last?.scheme === scheme) return last.version;
  const version = (last?.version ?? 0) + 1;
  await context.store.saveCursor('analyser', { version, scheme });
  return version;
}

/** The version the index's fingerprints are kept under, without changing it; null when they were read under another scheme or never. */
export async function findAnalyserVersion(
  store: Pick<RunContext['store'], 'getCursor'>,
  sampling: RunContext['config']['sampling'],
): Promise<number | null> {
  const last = await store.getCursor<Analyser>('analyser');
  return last?.scheme === describeScheme(sampling) ? last.version : null;
}

function describeScheme({ valuesPerTensor, seed }: RunContext['config']['sampling']): string {
  return `${SCHEME_VERSION}/${valuesPerTensor}/${seed}`;
}
