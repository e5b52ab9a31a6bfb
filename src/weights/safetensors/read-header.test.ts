import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HublineageError } from '../../types/errors.ts';
import type { DType } from '../../types/weights.ts';
import { createLlama } from '../testing/made-up-models.ts';
import { createMemoryRepo } from '../testing/memory-repo.ts';
import { MAX_TENSORS } from './header-json.ts';
import { readSafetensorsHeader } from './read-header.ts';
import { writeSafetensors } from './write.ts';

const text = (value: string) => new TextEncoder().encode(value);

/** A file of this header text and `dataBytes` bytes of data. */
function makeFile(header: string | Uint8Array, dataBytes = 0, length?: bigint): Uint8Array {
  const json = typeof header === 'string' ? text(header) : header;
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

async function readHeader(file: Uint8Array, expected?: number) {
  const repo = createMemoryRepo({ 'model.safetensors': file });
  const header = await readSafetensorsHeader(await repo.open('model.safetensors'), expected);
  return { ...header, ranges: repo.asked.ranges };
}

const codeOf = async (file: Uint8Array): Promise<string> => {
  try {
    await readHeader(file);
    return 'none';
  } catch (error) {
    if (error instanceof HublineageError) return error.code;
    throw error;
  }
};

const tensor = (dtype: string, shape: string, offsets: string) =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

describe('readSafetensorsHeader', () => {
  it('reads what was written, in one range when it knows how much to ask for', async () => {
    const file = writeSafetensors(createLlama(), { format: 'pt' });
    const { tensors, metadata, ranges } = await readHeader(file);
    expect(metadata).toEqual({ format: 'pt' });
    expect(tensors).toHaveLength(21);
    expect(ranges).toHaveLength(1);
  });

  it('asks for the rest of a header that is longer than expected, and for nothing twice', async () => {
    const file = writeSafetensors(createLlama());
    const { tensors, ranges } = await readHeader(file, 300);
    expect(tensors).toHaveLength(21);
    expect(ranges.map(({ offset }) => offset)).toEqual([0, 308]);
    const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(ranges.reduce((sum, { length }) => sum + length, 0)).toBe(8 + headerBytes);
  });

  it('gives back any layout that can be written', async () => {
    const dtypes: DType[] = ['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2', 'I8', 'U8', 'BOOL', 'I64'];
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          fc.record({
            name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
            dtype: fc.constantFrom(...dtypes),
            shape: fc.array(fc.nat(4), { maxLength: 4 }),
          }),
          { selector: ({ name }) => name, maxLength: 8 },
        ),
        fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 }),
        async (layout, metadata) => {
          const written = layout
            .filter(({ name }) => name !== '__metadata__')
            .map((entry) => {
              const count = entry.shape.reduce((product, dim) => product * dim, 1);
              return { ...entry, data: new Float32Array(count) };
            });
          const { tensors, metadata: got } = await readHeader(writeSafetensors(written, metadata), 64);
          expect(got).toEqual(metadata);
          const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
          const pick = ({
            name,
            dtype,
            shape,
          }: {
            name: string;
            dtype: string;
            shape: readonly number[];
          }) => ({ name, dtype, shape });
          expect(tensors.map(pick).sort(byName)).toEqual(written.map(pick).sort(byName));
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each<[string, string, Uint8Array]>([
    ['an empty file', 'HeaderTruncated', new Uint8Array(0)],
    ['seven bytes', 'HeaderTruncated', new Uint8Array(7)],
    ['a header longer than the file', 'HeaderTruncated', makeFile('{}', 0, 1000n)],
    ['a header beyond the cap', 'HeaderTooLarge', makeFile('{}', 0, 25_000_001n)],
    ['a header of 2^63 bytes', 'HeaderTooLarge', makeFile('{}', 0, 2n ** 63n)],
    [
      'an LFS pointer',
      'HeaderInvalid',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'),
    ],
    ['an HTML page', 'HeaderInvalid', text('<!DOCTYPE html><html><body>busy</body></html>')],
    ['no object', 'HeaderInvalid', makeFile('[1]     ')],
    ['a leading space', 'HeaderInvalid', makeFile(' {}')],
    ['an open object', 'HeaderInvalid', makeFile('{"a":')],
    [
      'bytes that are not UTF-8',
      'HeaderInvalid',
      makeFile(Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x7d)),
    ],
    ['a trailing word', 'HeaderInvalid', makeFile('{} x')],
    ['a trailing comma', 'HeaderInvalid', makeFile(`{"a":${tensor('U8', '[1]', '[0,1]')},}`, 1)],
    [
      'a tensor twice',
      'HeaderInvalid',
      makeFile(`{"a":${tensor('U8', '[1]', '[0,1]')},"a":${tensor('U8', '[1]', '[1,2]')}}`, 2),
    ],
    [
      'a tensor twice in two spellings',
      'HeaderInvalid',
      makeFile(`{"a":${tensor('U8', '[1]', '[0,1]')},"\\u0061":${tensor('U8', '[1]', '[1,2]')}}`, 2),
    ],
    [
      'a field twice',
      'HeaderInvalid',
      makeFile('{"a":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,1]}}', 1),
    ],
    [
      'an unknown field',
      'HeaderInvalid',
      makeFile('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}', 1),
    ],
    ['a missing field', 'HeaderInvalid', makeFile('{"a":{"dtype":"U8","shape":[1]}}', 1)],
    ['metadata that is no text', 'HeaderInvalid', makeFile('{"__metadata__":{"a":1}}')],
    ['metadata twice', 'HeaderInvalid', makeFile('{"__metadata__":{},"__metadata__":{}}')],
    ['an unknown dtype', 'DtypeUnknown', makeFile(`{"a":${tensor('F7', '[1]', '[0,1]')}}`, 1)],
    ['a first tensor not at 0', 'OffsetInvalid', makeFile(`{"a":${tensor('U8', '[1]', '[1,2]')}}`, 2)],
    [
      'a hole',
      'OffsetInvalid',
      makeFile(`{"a":${tensor('U8', '[1]', '[0,1]')},"b":${tensor('U8', '[1]', '[2,3]')}}`, 3),
    ],
    [
      'an overlap',
      'OffsetInvalid',
      makeFile(`{"a":${tensor('U8', '[2]', '[0,2]')},"b":${tensor('U8', '[2]', '[1,3]')}}`, 3),
    ],
    ['an end before the begin', 'OffsetInvalid', makeFile(`{"a":${tensor('U8', '[1]', '[1,0]')}}`, 1)],
    ['a negative offset', 'OffsetInvalid', makeFile(`{"a":${tensor('U8', '[1]', '[-1,0]')}}`, 1)],
    ['a fraction as offset', 'OffsetInvalid', makeFile(`{"a":${tensor('U8', '[1]', '[0,1.5]')}}`, 1)],
    ['three offsets', 'OffsetInvalid', makeFile(`{"a":${tensor('U8', '[1]', '[0,1,2]')}}`, 1)],
    [
      'an offset beyond 2^53',
      'OffsetInvalid',
      makeFile(`{"a":${tensor('U8', '[1]', '[0,99999999999999999999]')}}`, 1),
    ],
    ['data that is cut off', 'OffsetInvalid', makeFile(`{"a":${tensor('U8', '[9]', '[0,9]')}}`, 5)],
    ['data behind the last tensor', 'OffsetInvalid', makeFile(`{"a":${tensor('U8', '[1]', '[0,1]')}}`, 5)],
    [
      'a shape that does not fill its bytes',
      'ShapeInvalid',
      makeFile(`{"a":${tensor('F32', '[3]', '[0,8]')}}`, 8),
    ],
    [
      'dims that overflow',
      'ShapeInvalid',
      makeFile(`{"a":${tensor('U8', '[4294967296,4294967296]', '[0,1]')}}`, 1),
    ],
    [
      'dims that overflow before a zero',
      'ShapeInvalid',
      makeFile(`{"a":${tensor('U8', '[4294967296,4294967296,0]', '[0,0]')}}`),
    ],
    ['a negative dim', 'ShapeInvalid', makeFile(`{"a":${tensor('U8', '[-1]', '[0,1]')}}`, 1)],
    ['17 dims', 'ShapeInvalid', makeFile(`{"a":${tensor('U8', `[${Array(17).fill(1)}]`, '[0,1]')}}`, 1)],
    ['half a byte', 'ShapeInvalid', makeFile(`{"a":${tensor('F4', '[3]', '[0,1]')}}`, 1)],
  ])('refuses %s as %s', async (_what, code, file) => {
    expect(await codeOf(file)).toBe(code);
  });

  it('allows what the format allows: no tensors, scalars, empty dims, spaces', async () => {
    const { tensors } = await readHeader(
      makeFile(`{ "a" : ${tensor('F32', '[]', '[0, 4]')},\n\t"b":${tensor('F32', '[0,7]', '[4,4]')} }   `, 4),
    );
    expect(tensors.map(({ shape }) => shape)).toEqual([[], [0, 7]]);
    expect((await readHeader(makeFile('{}'))).tensors).toEqual([]);
  });

  it('cuts long metadata instead of keeping it', async () => {
    const { metadata } = await readHeader(
      makeFile(JSON.stringify({ __metadata__: { long: 'x'.repeat(100_000), short: 'y' } })),
    );
    expect(metadata.long).toHaveLength(2048);
    expect(metadata.short).toBe('y');
  });

  it('refuses a header of too many tensors, and 24 MB of brackets, without building them', async () => {
    const entry = (i: number) => `"${i}":${tensor('U8', '[0]', '[0,0]')}`;
    const many = `{${Array.from({ length: MAX_TENSORS + 1 }, (_, i) => entry(i)).join(',')}}`;
    expect(await codeOf(makeFile(many))).toBe('HeaderTooLarge');
    expect(await codeOf(makeFile(`{"a":${'['.repeat(24_000_000)}`))).toBe('HeaderInvalid');
  });

  it('never fails in an unforeseen way on changed bytes', async () => {
    const file = writeSafetensors(createLlama(), { format: 'pt' });
    const headerBytes = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(headerBytes - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.option(fc.nat(file.length), { nil: undefined }),
        async (changes, cut) => {
          const changed = file.slice(0, cut ?? file.length);
          for (const [at, byte] of changes) if (at < changed.length) changed[at] = byte;
          // codeOf throws on anything but a coded error.
          expect(await codeOf(changed)).not.toBe('Unexpected');
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('the hostile corpus', () => {
  const folder = resolve(import.meta.dirname, '../../../test/hostile');
  const names = readdirSync(folder).filter((name) => /^safetensors-.*\.safetensors$/.test(name));

  it('is there', () => {
    expect(names.length).toBeGreaterThanOrEqual(12);
  });

  // The expected code is part of the file's name: safetensors-<what>.<code>.safetensors
  it.each(names)('%s', async (name) => {
    const code = name.split('.').at(-2);
    expect(await codeOf(new Uint8Array(readFileSync(resolve(folder, name))))).toBe(code);
  });
});
