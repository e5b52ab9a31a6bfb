import { deserialize, serialize } from 'node:v8';
import { deflateSync, inflateSync } from 'node:zlib';
import type { InferenceMemory } from '../lineage/index.ts';
import type { Store } from '../store/index.ts';

/** A large family's edges and evidence are some megabytes; beyond this a row is not ours. */
const MAX_BYTES = 512 * 2 ** 20;

/** Rows of which this much is tried and hardly gets smaller are kept as they are: hashes and float64s, which are most of what is noted. */
const TRIED_BYTES = 16_384;
const WORTH_DEFLATING = 0.75;
/** The first byte of what `serialize` gives; a zlib stream begins otherwise. */
const SERIALIZED = 0xff;

/** A value as a row of the store. */
export function toMemoryRow(value: unknown): Uint8Array {
  const bytes = serialize(value);
  const tried = bytes.subarray(0, TRIED_BYTES);
  return deflateSync(tried, { level: 1 }).length > WORTH_DEFLATING * tried.length
    ? bytes
    : deflateSync(bytes, { level: 1 });
}

/** Throws where it is no row of ours. */
export function fromMemoryRow(bytes: Uint8Array): unknown {
  return deserialize(bytes[0] === SERIALIZED ? bytes : inflateSync(bytes, { maxOutputLength: MAX_BYTES }));
}

/**
 * Conclusions kept in the store. A row that cannot be read, or that another version of Node wrote, is a row forgotten.
 * @param fresh true recalls nothing from former runs
 */
export function createInferenceMemory(
  store: Pick<Store, 'recallInference' | 'keepInference' | 'pruneInference'>,
  prefix: string,
  { fresh }: { fresh: boolean },
): InferenceMemory & { prune(): Promise<number> } {
  const used = new Set<string>();
  return {
    async recall(name) {
      if (fresh) return undefined;
      const key = `${prefix}-${name}`;
      const bytes = await store.recallInference(key);
      if (bytes === null) return undefined;
      try {
        const value = fromMemoryRow(bytes);
        used.add(key);
        return value;
      } catch {
        return undefined;
      }
    },
    async keep(name, value) {
      const key = `${prefix}-${name}`;
      used.add(key);
      await store.keepInference(key, toMemoryRow(value));
    },
    retain(name) {
      used.add(`${prefix}-${name}`);
    },
    prune: () => store.pruneInference(used),
  };
}
