import { describe, expect, it } from 'vitest';
import { openStore } from './open-store.ts';
import { makePath } from './testing/sample-index.ts';

describe('inference memory', () => {
  it('gives back what was kept, and forgets what was not used', async () => {
    const store = await openStore(makePath());
    await store.keepInference('a', Uint8Array.of(1, 2));
    await store.keepInference('b', Uint8Array.of(3));
    await store.keepInference('a', Uint8Array.of(4));
    expect([...(await store.recallInference('a'))!]).toEqual([4]);
    expect(await store.recallInference('c')).toBeNull();
    expect(await store.pruneInference(new Set(['a']))).toBe(1);
    expect(await store.recallInference('b')).toBeNull();
    expect(await store.recallInference('a')).not.toBeNull();
    await store.close();
  });
});
