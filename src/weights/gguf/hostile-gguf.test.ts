import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMemorySource } from '../../../test/lib/memory-source.ts';
import { openGguf } from './open-gguf.ts';

const folder = join(import.meta.dirname, '../../../test/hostile');
const files = readdirSync(folder).filter((name) => name.startsWith('gguf-'));

describe('hostile GGUF files', () => {
  it('are all there', () => expect(files.length).toBeGreaterThan(30));

  it.each(files)('%s', async (name) => {
    const expected = name.split('.').at(-2);
    const source = createMemorySource(new Uint8Array(readFileSync(join(folder, name))), name);
    const outcome = await openGguf([source]).then(
      () => 'opens',
      (error) => error.code ?? error,
    );
    expect(outcome).toBe(expected);
    expect(source.reads.length).toBeLessThanOrEqual(3);
  });
});
