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
  const { valuesPerTensor, seed } = context.config.sampling;
  const scheme = `${SCHEME_VERSION}/${valuesPerTensor}/${seed}`;
  const last = await context.store.getCursor<Analyser>('analyser');
  if (last?.scheme === scheme) return last.version;
  const version = (last?.version ?? 0) + 1;
  await context.store.saveCursor('analyser', { version, scheme });
  return version;
}
