import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gguf as readWithHuggingFace } from '@huggingface/gguf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemorySource } from '../../../test/lib/memory-source.ts';
import { GGUF, text, u32, writeGguf } from '../../../test/lib/write-gguf.ts';
import { isHublineageError } from '../../types/errors.ts';
import { openGguf } from './open-gguf.ts';

const demo = (path: string) => join(import.meta.dirname, '../../../data/demo-hub', path);
const REAL = demo('opentext/Llama-nano-a-GGUF/llama-nano-a.Q8_0.gguf');
const real = new Uint8Array(readFileSync(REAL));
const llama = text('general.architecture', 'llama');
const floats = (count: number) => new Uint8Array(new Float32Array(count).buffer);
const norm = (name: string) => ({ name, shape: [8], typeId: 0, data: floats(8) });

describe('openGguf', () => {
  it("sees what the Hub's own reader sees", async () => {
    const contents = await openGguf([createMemorySource(real)]);
    const theirs = await readWithHuggingFace(REAL, { allowLocalFile: true });
    expect(contents.tensors.map(({ name, shape, typeId }) => ({ name, shape, typeId }))).toEqual(
      theirs.tensorInfos.map(({ name, shape, dtype }) => ({
        name,
        shape: shape.map(Number).reverse(),
        typeId: dtype,
      })),
    );
    expect(contents.tensors.map((tensor) => tensor.offset)).toEqual(
      theirs.tensorInfos.map((info) => Number(theirs.tensorDataOffset) + Number(info.offset)),
    );
    const { version, tensor_count, kv_count, ...values } = theirs.metadata as unknown as Record<
      string,
      unknown
    >;
    const scalars = Object.entries(values).filter(([, value]) => !Array.isArray(value));
    expect(Object.fromEntries(contents.values)).toEqual(
      Object.fromEntries(
        scalars.map(([key, value]) => [key, typeof value === 'bigint' ? Number(value) : value]),
      ),
    );
  });

  it('reads a header as small as this with one range', async () => {
    const source = createMemorySource(real);
    await openGguf([source]);
    expect(source.reads).toHaveLength(1);
  });

  it('steps over tokenizer arrays: strings are walked in chunks, numbers are not read', async () => {
    const tokens = { type: GGUF.string, items: Array.from({ length: 60_000 }, (_, i) => `token ${i}`) };
    const scores = { type: GGUF.f32, items: new Float32Array(1_500_000) };
    const bytes = writeGguf({
      keys: [
        llama,
        { key: 'tokenizer.ggml.tokens', type: GGUF.array, value: tokens },
        { key: 'tokenizer.ggml.scores', type: GGUF.array, value: scores },
      ],
      tensors: [norm('output_norm.weight')],
    });
    const source = createMemorySource(bytes);
    const contents = await openGguf([source]);
    expect(contents.tensors).toHaveLength(1);
    expect([...contents.values.keys()]).toEqual(['general.architecture']);
    expect(source.reads.length).toBeLessThanOrEqual(6);
    // the six million bytes of scores are not among what was read
    expect(source.reads.reduce((sum, read) => sum + read.length, 0)).toBeLessThan(bytes.length - 4_000_000);
  });

  it('reads version 2, another alignment, every scalar type', async () => {
    const keys = [
      llama,
      u32('general.alignment', 256),
      { key: 'a.u8', type: GGUF.u8, value: 200 },
      { key: 'a.i8', type: GGUF.i8, value: -5 },
      { key: 'a.u16', type: GGUF.u16, value: 60_000 },
      { key: 'a.i16', type: GGUF.i16, value: -600 },
      { key: 'a.i32', type: GGUF.i32, value: -70_000 },
      { key: 'a.f32', type: GGUF.f32, value: 0.5 },
      { key: 'a.bool', type: GGUF.bool, value: 1 },
      { key: 'a.u64', type: GGUF.u64, value: 2n ** 60n },
      { key: 'a.i64', type: GGUF.i64, value: -7n },
      { key: 'a.f64', type: GGUF.f64, value: 0.1 },
      text('general.license', 'x'.repeat(5_000)),
    ];
    const bytes = writeGguf({ version: 2, keys, alignment: 256, tensors: [norm('a'), norm('b')] });
    const contents = await openGguf([createMemorySource(bytes)]);
    expect(Object.fromEntries(contents.values)).toEqual({
      'general.architecture': 'llama',
      'general.alignment': 256,
      'a.u8': 200,
      'a.i8': -5,
      'a.u16': 60_000,
      'a.i16': -600,
      'a.i32': -70_000,
      'a.f32': 0.5,
      'a.bool': true,
      'a.u64': (2n ** 60n).toString(),
      'a.i64': -7,
      'a.f64': 0.1,
    });
    expect(contents.tensors.map((tensor) => tensor.offset % 256)).toEqual([0, 0]);
  });

  it('joins the parts of a split file, in order and complete', async () => {
    const part = (no: number, count = 2, total = 2) =>
      writeGguf({
        keys: [
          ...(no === 0 ? [llama] : []),
          { key: 'split.no', type: GGUF.u16, value: no },
          { key: 'split.count', type: GGUF.u16, value: count },
          { key: 'split.tensors.count', type: GGUF.i32, value: total },
        ],
        tensors: [norm(`blk.${no}.attn_norm.weight`)],
      });
    const sources = (...parts: Uint8Array[]) => parts.map((data, i) => createMemorySource(data, `part-${i}`));
    const contents = await openGguf(sources(part(0), part(1)));
    expect(contents.tensors.map(({ name, file }) => [name, file])).toEqual([
      ['blk.0.attn_norm.weight', 'part-0'],
      ['blk.1.attn_norm.weight', 'part-1'],
    ]);
    await expect(openGguf(sources(part(0)))).rejects.toMatchObject({ code: 'ShardMissing' });
    await expect(openGguf(sources(part(1), part(0)))).rejects.toMatchObject({ code: 'IndexInvalid' });
    await expect(openGguf(sources(part(0, 2, 9), part(1)))).rejects.toMatchObject({ code: 'IndexInvalid' });
    await expect(openGguf(sources(part(0), part(0)))).rejects.toMatchObject({ code: 'IndexInvalid' });
  });

  it('gives an opened file or a coded error for any mutation of a real one', async () => {
    const head = 3_000;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(head), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.option(fc.nat(real.length)),
        async (changes, cut) => {
          const bytes = real.slice(0, cut ?? real.length);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const source = createMemorySource(bytes);
          await openGguf([source]).catch((error) => {
            if (!isHublineageError(error) || error.code === 'Unexpected') throw error;
          });
          expect(source.reads.length).toBeLessThan(8);
        },
      ),
      { numRuns: 500 },
    );
  });
});
