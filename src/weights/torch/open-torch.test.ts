import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemorySource } from '../../../test/lib/memory-source.ts';
import { pickleStateDict, writeTorchLegacy, writeTorchZip } from '../../../test/lib/write-torch.ts';
import { isHublineageError } from '../../types/errors.ts';
import { openTorch } from './open-torch.ts';
import type { TorchTensor } from './types.ts';

const root = join(import.meta.dirname, '../../..');
const fixture = (name: string) => new Uint8Array(readFileSync(join(root, 'test/fixtures/torch', name)));
const demo = (path: string) => new Uint8Array(readFileSync(join(root, 'data/demo-hub', path)));
const python = readdirSync(join(root, 'test/fixtures/torch')).filter((name) => /\.(?:bin|ckpt)$/.test(name));

function readAll(bytes: Uint8Array, tensor: TorchTensor): number[] {
  const cols = tensor.shape.slice(tensor.shape.length > 1 ? 1 : 0).reduce((a, b) => a * b, 1);
  const rows = tensor.shape.length > 1 ? tensor.shape[0]! : 1;
  return Array.from({ length: rows }, (_, row) => {
    const parts = tensor
      .segmentRanges(row, 0, cols)
      .map(({ offset, length }) => bytes.subarray(offset, offset + length));
    return [...tensor.decodeSegment(parts, row, 0, cols)];
  }).flat();
}

async function openNamed(bytes: Uint8Array) {
  const contents = await openTorch(createMemorySource(bytes));
  return { ...contents, byName: new Map(contents.tensors.map((tensor) => [tensor.name, tensor])) };
}

/** Coded errors are answers; anything else is a crash. */
async function openOrRefuse(bytes: Uint8Array): Promise<number> {
  const source = createMemorySource(bytes);
  await openTorch(source).catch((error) => {
    if (!isHublineageError(error) || error.code === 'Unexpected') throw error;
  });
  return source.reads.length;
}

describe('checkpoints pickled by CPython', () => {
  it.each(python)('%s', async (name) => {
    const bytes = fixture(name);
    const { byName, container } = await openNamed(bytes);
    const prefix = name.startsWith('trainer') ? 'module.' : '';
    const values = (tensor: string) => readAll(bytes, byName.get(prefix + tensor)!);
    const quarters = Array.from({ length: 12 }, (_, i) => i / 4);
    expect(container).toBe(name.startsWith('legacy') ? 'torch-legacy' : 'torch-zip');
    expect(values('embed.weight')).toEqual(quarters);
    expect(values('head.weight')).toEqual(quarters);
    expect(values('view')).toEqual([2, 2.5, 3, 3.5]);
    expect(values('parameter')).toEqual([0, 0.5, 1, 1.5, 2]);
    expect(values('subclass')).toEqual([1, -2, 3]);
    expect(values('float8')).toEqual([1, 2, -1, 0]);
    expect(byName.get(`${prefix}transposed`)).toMatchObject({ decodable: false, shape: [3, 4] });
    expect(byName.get(`${prefix}head.weight`)!.storage).toBe(byName.get(`${prefix}embed.weight`)!.storage);
    expect(byName.size).toBe(7);
  });

  it('says what it looked through and what it left inert', async () => {
    const { notes } = await openNamed(fixture('trainer.zip.ckpt'));
    expect(notes[0]).toBe('state dict found under state_dict');
    expect(notes.join()).toContain('argparse.Namespace');
  });
});

describe('checkpoints written by torch', () => {
  it('a sharded Llama is read in two ranges, its values where the local headers say', async () => {
    const bytes = demo('opentext/Llama-nano-b-legal-1/pytorch_model.bin');
    const source = createMemorySource(bytes);
    const { tensors, notes } = await openTorch(source);
    expect(source.reads.length).toBeLessThanOrEqual(2);
    expect(tensors).toHaveLength(39);
    expect(notes).toEqual([]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const tensor of tensors) {
      // Walk back from the data to the local header that has to stand before them.
      const [{ offset } = { offset: 0 }] = tensor.segmentRanges(0, 0, 1);
      let header = offset - 1;
      while (header > 0 && view.getUint32(header, true) !== 0x04034b50) header--;
      expect(header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true)).toBe(
        offset,
      );
    }
    const norm = tensors.find(({ name }) => name === 'model.norm.weight')!;
    for (const value of readAll(bytes, norm)) expect(value).toBeGreaterThan(0);
  });

  it('finds the state dict of a Stable Diffusion .ckpt', async () => {
    const { tensors, notes } = await openTorch(
      createMemorySource(
        demo('ada-models/stable-diffusion-nano-v2-medic-2/stable-diffusion-nano-v2-medic-2.ckpt'),
      ),
    );
    expect(tensors.filter(({ name }) => name.startsWith('model.diffusion_model.')).length).toBeGreaterThan(
      100,
    );
    expect(notes).toEqual(['state dict found under state_dict']);
  });
});

describe('mutations', () => {
  const real = demo('opentext/Llama-nano-b-legal-1/pytorch_model.bin');
  const tailBytes = 6_000;
  const mutation = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });

  it('of a real archive open or are refused with a code', async () => {
    await fc.assert(
      fc.asyncProperty(
        mutation,
        fc.boolean(),
        fc.option(fc.nat(real.length)),
        async (changes, atHead, cut) => {
          const bytes = real.slice(0, cut ?? real.length);
          for (const [at, value] of changes) {
            const place = atHead ? at % 12_000 : real.length - 1 - (at % tailBytes);
            if (place < bytes.length) bytes[place] = value;
          }
          expect(await openOrRefuse(bytes)).toBeLessThan(60);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each(python)('of %s open or are refused with a code', async (name) => {
    const original = fixture(name);
    await fc.assert(
      fc.asyncProperty(mutation, fc.option(fc.nat(original.length)), async (changes, cut) => {
        const bytes = original.slice(0, cut ?? original.length);
        for (const [at, value] of changes) bytes[at % original.length] = value;
        await openOrRefuse(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('random pickles inside a sound archive open or are refused with a code', async () => {
    // opcodes that do something, so that more than the first byte is looked at
    const opcode = fc.constantFrom(
      ...'}])(NtRsu0ae2Q.bq\x00h\x00\x85\x86\x88'.split('').map((c) => c.charCodeAt(0)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(opcode, { maxLength: 60 }), async (codes) => {
        const data = Uint8Array.from([128, 2, ...codes, 46]);
        await openOrRefuse(writeTorchZip({ entries: [{ name: 'archive/data.pkl', data }] }));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('layouts', () => {
  const floats = (count: number) => new Uint8Array(Float32Array.from({ length: count }, (_, i) => i).buffer);
  const spec = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 7 }), fc.nat(3)), {
      minLength: 1,
      maxLength: 5,
    })
    .map((sizes) =>
      sizes.map(([rows, cols, before], i) => ({
        name: `t${i}`,
        storage: 'FloatStorage',
        key: String(100 - i * 7),
        count: before + rows * cols,
        offset: before,
        shape: [rows, cols],
      })),
    );

  it('of both kinds give every value of every tensor', async () => {
    await fc.assert(
      fc.asyncProperty(spec, fc.constantFrom(1, 64, 4096), async (tensors, alignment) => {
        const storages = tensors
          .map(({ key, count }) => ({ key, count, data: floats(count) }))
          .sort((a, b) => (a.key < b.key ? -1 : 1));
        const zip = writeTorchZip({
          alignment,
          entries: [
            { name: 'm/data.pkl', data: pickleStateDict(tensors) },
            ...storages.map(({ key, data }) => ({ name: `m/data/${key}`, data })),
          ],
        });
        const legacy = writeTorchLegacy(pickleStateDict(tensors, { legacy: true }), storages);
        for (const bytes of [zip, legacy]) {
          const { byName } = await openNamed(bytes);
          for (const { name, offset, shape } of tensors) {
            const expected = Array.from({ length: shape[0]! * shape[1]! }, (_, i) => offset + i);
            expect(readAll(bytes, byName.get(name)!)).toEqual(expected);
          }
        }
      }),
    );
  });

  it('of a state dict behind wrappers, with the most tensors winning', async () => {
    const tensor = { name: 'w', storage: 'HalfStorage', key: '0', count: 2, shape: [2] };
    for (const wrapper of ['state_dict', 'model', 'module', 'params']) {
      const data = pickleStateDict([tensor], { wrapper });
      const bytes = writeTorchZip({
        entries: [
          { name: 'a/data.pkl', data },
          { name: 'a/data/0', data: new Uint8Array(4) },
        ],
      });
      const { tensors, notes } = await openTorch(createMemorySource(bytes));
      expect(tensors.map(({ name, dtype }) => [name, dtype])).toEqual([['w', 'F16']]);
      expect(notes).toEqual([`state dict found under ${wrapper}`]);
    }
  });

  it('with a pickle behind the first 256 kB, with few reads', async () => {
    const tensors = Array.from({ length: 3_000 }, (_, i) => ({
      name: `model.layers.${i}.a.long.name.as.they.are.weight`,
      storage: 'FloatStorage',
      key: String(i),
      count: 1,
      shape: [1],
    }));
    const storages = tensors
      .map(({ key }) => ({ key, count: 1, data: floats(1) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const zip = createMemorySource(
      writeTorchZip({
        entries: [
          { name: 'a/data.pkl', data: pickleStateDict(tensors) },
          ...storages.map(({ key, data }) => ({ name: `a/data/${key}`, data })),
        ],
      }),
    );
    expect((await openTorch(zip)).tensors).toHaveLength(3_000);
    expect(zip.reads.length).toBeLessThanOrEqual(4);
    const legacy = createMemorySource(writeTorchLegacy(pickleStateDict(tensors, { legacy: true }), storages));
    expect((await openTorch(legacy)).tensors).toHaveLength(3_000);
    expect(legacy.reads.length).toBeLessThanOrEqual(3);
  });
});
