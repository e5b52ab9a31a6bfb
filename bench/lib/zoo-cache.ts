import { readFile, rename, writeFile } from 'node:fs/promises';
import { decodeFingerprint, encodeFingerprint } from '../../src/fingerprint/index.ts';
import type { ZooModel } from './zoo.ts';

/** One file: a line of JSON (models with the byte length of each blob), a line feed, the blobs one after another. */
export async function writeZooCache(file: string, models: readonly ZooModel[]): Promise<void> {
  const blobs = models.map(({ fingerprint }) =>
    fingerprint === null ? null : encodeFingerprint(fingerprint).blob,
  );
  const rows = models.map(({ fingerprint: _, ...model }, i) => ({
    ...model,
    blobBytes: blobs[i]?.length ?? null,
  }));
  const bytes = Buffer.concat([
    Buffer.from(`${JSON.stringify(rows)}\n`),
    ...blobs.filter((blob) => blob !== null),
  ]);
  // whole or not at all: another program may be reading
  await writeFile(`${file}.new`, bytes);
  await rename(`${file}.new`, file);
}

/** null when there is no such file. */
export async function readZooCache(file: string): Promise<ZooModel[] | null> {
  const bytes = await readFile(file).catch(() => null);
  if (bytes === null) return null;
  const end = bytes.indexOf(0x0a);
  const rows = JSON.parse(bytes.toString('utf8', 0, end)) as (Omit<ZooModel, 'fingerprint'> & {
    blobBytes: number | null;
  })[];
  let at = end + 1;
  return rows.map(({ blobBytes, ...model }) => {
    if (blobBytes === null) return { ...model, fingerprint: null };
    at += blobBytes;
    return { ...model, fingerprint: decodeFingerprint(bytes.subarray(at - blobBytes, at)) };
  });
}
