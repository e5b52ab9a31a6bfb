import { describe, expect, it } from 'vitest';
import { createMemorySource } from '../../../test/lib/memory-source.ts';
import { writeTorchZip } from '../../../test/lib/write-torch.ts';
import { readZipDirectory } from './zip-directory.ts';
import { findDataOffsets, readDataOffset } from './zip-offsets.ts';

const GB = 2 ** 30;
const names = (count: number) => Array.from({ length: count }, (_, i) => `archive/data/${i}`);

describe('findDataOffsets', () => {
  it('predicts what the local headers say, without reading them', async () => {
    const entries = names(40).map((name, i) => ({ name, data: new Uint8Array(i * 3) }));
    const source = createMemorySource(writeTorchZip({ entries }));
    const directory = await readZipDirectory(source);
    source.reads.length = 0;
    const offsets = await findDataOffsets(source, directory);
    expect(source.reads).toEqual([]);
    for (const entry of directory) expect(offsets.get(entry.name)).toBe(await readDataOffset(source, entry));
  });

  it('reads the headers of an archive with another padding', async () => {
    const entries = names(5).map((name) => ({ name, data: new Uint8Array(100) }));
    const source = createMemorySource(writeTorchZip({ entries, alignment: 1 }));
    const directory = await readZipDirectory(source);
    source.reads.length = 0;
    const offsets = await findDataOffsets(source, directory);
    // one of them happens to be aligned
    expect(source.reads).toHaveLength(4);
    for (const entry of directory)
      expect(offsets.get(entry.name)).toBe(entry.headerOffset + 30 + entry.name.length + 4);
  });

  it('gives up on a repacked archive of hundreds of entries instead of reading every header', async () => {
    const entries = names(300).map((name) => ({ name, data: new Uint8Array(8) }));
    const source = createMemorySource(writeTorchZip({ entries, alignment: 1 }));
    const directory = await readZipDirectory(source);
    await expect(findDataOffsets(source, directory)).rejects.toMatchObject({ code: 'ContainerUnsupported' });
  });

  it('leaves room for ZIP64 fields beyond 4 GB (getPadding in inline_container.cc)', async () => {
    const name = 'archive/data/7';
    const far = { name, size: 1_000, headerOffset: 5 * GB + 16, nextOffset: 0 };
    // 30 + 14 of name + 4 of padding field + 4 + 8 of ZIP64 offset = 60 after byte 16: 76, so the next multiple of 64 is 128
    const farData = 5 * GB + 128;
    const huge = { name: `${name}1`, size: 6 * GB, headerOffset: 3 * GB + 10, nextOffset: 0 };
    // 30 + 15 + 4 + 4 + 16 = 69 after byte 10: 79, so 128
    const hugeData = 3 * GB + 128;
    const nothing = createMemorySource(new Uint8Array());
    const offsets = await findDataOffsets(nothing, [
      { ...far, nextOffset: farData + far.size + 24 },
      { ...huge, nextOffset: hugeData + huge.size + 24 },
    ]);
    expect([...offsets.values()]).toEqual([farData, hugeData]);
  });
});
