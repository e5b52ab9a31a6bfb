import type { Store } from './contract.ts';
import type { Connection } from './database.ts';

type MemoryMethods = Pick<Store, 'recallInference' | 'keepInference' | 'pruneInference'>;

/** Conclusions of former inferences under the hash of what they follow from; the bytes belong to whoever wrote them. */
export function createInferenceMemory(connection: Connection): MemoryMethods {
  return {
    async recallInference(key) {
      const bytes = connection.sql('SELECT value FROM t_inference_memory WHERE key = ?').pluck().get(key) as
        | Buffer
        | undefined;
      return bytes ?? null;
    },
    async keepInference(key, value) {
      connection.write(() =>
        connection
          .sql('INSERT OR REPLACE INTO t_inference_memory (key, value) VALUES (?, ?)')
          .run(key, value),
      );
    },
    async pruneInference(used) {
      const keys = connection.sql('SELECT key FROM t_inference_memory').pluck().all() as string[];
      const unused = keys.filter((key) => !used.has(key));
      if (unused.length === 0) return 0;
      return connection.write(() => {
        const forget = connection.sql('DELETE FROM t_inference_memory WHERE key = ?');
        for (const key of unused) forget.run(key);
        return unused.length;
      });
    },
  };
}
