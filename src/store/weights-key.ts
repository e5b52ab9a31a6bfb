import { createHash } from 'node:crypto';
import type { HubFile } from '../types/hub.ts';

const WEIGHT_FILE = /\.(safetensors|gguf|bin|pt|pth|ckpt)$/i;
/** Weight suffixes that hold no model weights: trainer state and the like. */
const NOT_WEIGHTS =
  /(^|\/)(training_args|optimizer|scheduler|rng_state[^/]*|scaler|random_states[^/]*)\.(bin|pt|pth)$/i;

/** Whether a path looks like model weights, by its name alone. */
export function isWeightFile(path: string): boolean {
  return WEIGHT_FILE.test(path) && !NOT_WEIGHTS.test(path);
}

/**
 * One key for a set of weight files: sha256 over their sorted sha256, whatever they are called. Null when there is no file or one
 * has no known hash, since then nothing can be said about equality.
 */
export function toWeightsKey(files: readonly Pick<HubFile, 'sha256'>[]): string | null {
  const hashes = files.map((file) => file.sha256);
  if (hashes.length === 0 || hashes.some((hash) => hash === null)) return null;
  return createHash('sha256')
    .update(
      (hashes as string[])
        .map((hash) => hash.toLowerCase())
        .sort()
        .join('\n'),
    )
    .digest('hex');
}
