import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMemorySource } from '../../../test/lib/memory-source.ts';
import { openTorch } from './open-torch.ts';

const folder = join(import.meta.dirname, '../../../test/hostile');
const files = readdirSync(folder).filter((name) => /^(?:pickle|torch)-/.test(name));

describe('hostile checkpoints', () => {
  it('are all there', () => expect(files.length).toBeGreaterThan(60));

  it.each(files)('%s', async (name) => {
    const expected = name.split('.').at(-2);
    const source = createMemorySource(new Uint8Array(readFileSync(join(folder, name))), name);
    const outcome = await openTorch(source).then(
      () => 'opens',
      (error) => error.code ?? error,
    );
    expect(outcome).toBe(expected);
    expect(source.reads.length).toBeLessThanOrEqual(6);
    // What the os.system pickles would do if anything ran them.
    expect(existsSync('/tmp/hublineage-was-here')).toBe(false);
  });

  it('names what a pickle wanted, and reads the tensors beside it', async () => {
    const name = 'pickle-os-system-in-state-dict.opens.bin';
    const contents = await openTorch(createMemorySource(new Uint8Array(readFileSync(join(folder, name)))));
    expect(contents.tensors.map((tensor) => tensor.name)).toEqual(['w']);
    expect(contents.notes.join()).toContain('os.system');
  });

  it('keeps what it cannot decode, and says why', async () => {
    const why = async (name: string) => {
      const source = createMemorySource(new Uint8Array(readFileSync(join(folder, name))));
      const [tensor] = (await openTorch(source)).tensors;
      return [tensor?.decodable, tensor?.undecodable];
    };
    expect(await why('pickle-non-contiguous.opens.bin')).toEqual([
      false,
      'its values are not stored row by row',
    ]);
    expect(await why('torch-byteorder-big.opens.bin')).toEqual([false, 'its values are big-endian']);
    expect(await why('pickle-storage-missing.opens.bin')).toEqual([
      false,
      'its storage ../../0 is not in the file',
    ]);
    expect(await why('torch-comment-65535.opens.bin')).toEqual([true, null]);
  });
});
