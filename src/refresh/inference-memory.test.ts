import { describe, expect, it } from 'vitest';
import { createInferenceMemory } from './inference-memory.ts';

function createShelf() {
  const rows = new Map<string, Uint8Array>();
  return {
    rows,
    recallInference: async (key: string) => rows.get(key) ?? null,
    keepInference: async (key: string, value: Uint8Array) => {
      rows.set(key, value);
    },
    pruneInference: async (used: ReadonlySet<string>) => {
      const unused = [...rows.keys()].filter((key) => !used.has(key));
      for (const key of unused) rows.delete(key);
      return unused.length;
    },
  };
}

const VALUE = {
  scores: Float64Array.of(1.5, Number.NEGATIVE_INFINITY),
  sharing: new Set([2]),
  parents: ['a'],
};

describe('inference memory in the store', () => {
  it('keeps numbers no JSON can hold, as copies', async () => {
    const memory = createInferenceMemory(createShelf(), '1', { fresh: false });
    await memory.keep('a', VALUE);
    const found = await memory.recall('a');
    expect(found).toEqual(VALUE);
    expect(found).not.toBe(VALUE);
    expect(await memory.recall('b')).toBeUndefined();
  });

  it('takes a damaged row for a forgotten one, and forgets what a run did not use', async () => {
    const shelf = createShelf();
    const first = createInferenceMemory(shelf, '1', { fresh: false });
    await first.keep('a', VALUE);
    await first.keep('b', VALUE);
    shelf.rows.set('1-a', Uint8Array.of(1, 2, 3));
    const second = createInferenceMemory(shelf, '1', { fresh: false });
    expect(await second.recall('a')).toBeUndefined();
    expect(await second.recall('b')).toEqual(VALUE);
    expect(await second.prune()).toBe(1);
    expect([...shelf.rows.keys()]).toEqual(['1-b']);
  });

  it('does not drop what another night will ask for', async () => {
    const shelf = createShelf();
    await createInferenceMemory(shelf, '1', { fresh: false }).keep('a', VALUE);
    const second = createInferenceMemory(shelf, '1', { fresh: false });
    second.retain('a');
    expect(await second.prune()).toBe(0);
    expect([...shelf.rows.keys()]).toEqual(['1-a']);
  });

  it('recalls nothing when everything is to be inferred anew', async () => {
    const shelf = createShelf();
    await createInferenceMemory(shelf, '1', { fresh: false }).keep('a', VALUE);
    expect(await createInferenceMemory(shelf, '1', { fresh: true }).recall('a')).toBeUndefined();
  });
});
