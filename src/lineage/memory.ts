import { createHash } from 'node:crypto';
import type { LineageModel } from '../types/lineage.ts';
import { describeContent } from './content-key.ts';
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
 * A hash over all that a block's conclusions follow from: options, and each member's name, content, time and copies. Null when the
 * content of some member is not known well enough: then nothing may be remembered.
 */
export function describeBlock(
  models: readonly LineageModel[],
  { options, calibration, classes }: World,
): string | null {
  // detectors are weights, and weights are not described here
  if (options.detectors?.phylogeny && (options.detectors.weight ?? 0) > 0) return null;
  const hash = createHash('sha256').update(
    JSON.stringify([LINEAGE_VERSION, options.seed, calibration, Object.keys(options.roundTrip ?? {})]),
  );
  for (const model of models) {
    const content = describeContent(model);
    if (content === null) return null;
    const times = [model.createdAt, classes.get(model.repo)?.existedBy ?? null];
    hash.update(JSON.stringify([model.repo, content, times]));
  }
  return `block-${hash.digest('hex').slice(0, 40)}`;
}
