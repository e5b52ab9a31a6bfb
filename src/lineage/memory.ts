import { createHash } from 'node:crypto';
import type { LineageModel } from '../types/lineage.ts';
import type { Block } from './blocks.ts';
import { filesKey } from './copies.ts';
import type { World } from './family-tree.ts';
import { LINEAGE_VERSION } from './version.ts';

/**
 * What was concluded about parts of the index before. Values are structured-cloneable and must come back as copies: whoever recalls one
 * may change it. Forgetting anything at any time changes no result.
 */
export interface InferenceMemory {
  /** undefined when the key is not known */
  recall(key: string): Promise<unknown>;
  keep(key: string, value: unknown): Promise<void>;
}

/**
 * A hash over all that a block's conclusions follow from: options, and each member's name, files, layout, time and copies. The samples
 * themselves are a function of the files and the scheme. Null when some file's hash is not known: then nothing may be remembered.
 */
export function describeBlock(
  what: 'casts' | 'family',
  all: readonly LineageModel[],
  block: Block,
  { options, calibration, classes }: World,
): string | null {
  // detectors are weights, and weights are not described here
  if (options.detectors?.phylogeny && (options.detectors.weight ?? 0) > 0) return null;
  const hash = createHash('sha256').update(
    JSON.stringify([LINEAGE_VERSION, what, options.seed, calibration, Object.keys(options.roundTrip ?? {})]),
  );
  for (const i of block.members) {
    const model = all[i]!;
    const { fingerprint: f } = model;
    const files = filesKey(model);
    if (files === null) return null;
    hash.update(
      JSON.stringify([
        model.repo,
        files,
        f.scheme,
        f.coreKey,
        f.dtype,
        f.format,
        f.quantized,
        f.widths,
        what === 'family' ? [model.createdAt, classes.get(model.repo)?.existedBy ?? null] : null,
      ]),
    );
    hash.update(new Uint8Array(f.core.buffer, f.core.byteOffset, f.core.byteLength));
  }
  return `${what}-${hash.digest('hex').slice(0, 40)}`;
}
