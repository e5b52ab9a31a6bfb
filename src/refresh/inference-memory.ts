import { deserialize, serialize } from 'node:v8';
import { deflateSync, inflateSync } from 'node:zlib';
import type { InferenceMemory } from '../lineage/index.ts';
import type { Store } from '../store/index.ts';

/** A large family's edges and evidence are some megabytes; beyond this a row is not ours. */
const MAX_BYTES = 512 * 2 ** 20;

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
        const value: unknown = deserialize(inflateSync(bytes, { maxOutputLength: MAX_BYTES }));
        used.add(key);
        return value;
      } catch {
        return undefined;
      }
    },
    async keep(name, value) {
      const key = `${prefix}-${name}`;
      used.add(key);
      await store.keepInference(key, deflateSync(serialize(value), { level: 1 }));
    },
    prune: () => store.pruneInference(used),
  };
}
