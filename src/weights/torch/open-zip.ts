import { HublineageError } from '../../types/errors.ts';
import type { ByteSource } from '../../types/hub.ts';
import { MAX_PICKLE_BYTES, runPickle } from './pickle-machine.ts';
import { findStateDict, noStateDict } from './state-dict.ts';
import { toNotes, toTensors } from './to-tensors.ts';
import type { TorchContents } from './types.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';
import { findDataOffsets, readDataOffset } from './zip-offsets.ts';

/** The one entry that holds the object; its folder is the archive's root. */
function findPickle(entries: readonly ZipEntry[], where: string): { pickle: ZipEntry; root: string } {
  const found = entries.filter(({ name }) => name === 'data.pkl' || name.endsWith('/data.pkl'));
  const [pickle] = found;
  if (pickle === undefined) {
    throw new HublineageError(
      'ContainerUnsupported',
      'a zip archive without data.pkl: not written by torch.save',
      {
        where,
      },
    );
  }
  if (found.length > 1) {
    const names = found.map(({ name }) => name).join(', ');
    throw new HublineageError(
      'HeaderInvalid',
      `more than one pickle in the archive: ${names.slice(0, 200)}`,
      { where },
    );
  }
  if (pickle.size > MAX_PICKLE_BYTES) {
    throw new HublineageError('HeaderTooLarge', `a pickle of ${pickle.size} bytes`, { where });
  }
  return { pickle, root: pickle.name.slice(0, -'data.pkl'.length) };
}

async function readEntry(source: ByteSource, entry: ZipEntry): Promise<Uint8Array> {
  return source.read(await readDataOffset(source, entry), entry.size);
}

/** A short text entry (`byteorder`, `.storage_alignment`); null when it is absent or not short. */
async function readText(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
  name: string,
): Promise<string | null> {
  const entry = entries.get(name);
  if (entry === undefined || entry.size > 32) return null;
  return new TextDecoder().decode(await readEntry(source, entry)).trim();
}

function toAlignment(text: string | null): number | undefined {
  const alignment = text !== null && /^\d{1,7}$/.test(text) ? Number(text) : 0;
  return alignment > 0 ? alignment : undefined;
}

/** torch.save since 1.6: a zip archive of a pickle and one stored entry a storage. */
export async function openTorchZip(source: ByteSource): Promise<TorchContents> {
  const where = source.path;
  const entries = await readZipDirectory(source);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const { pickle, root } = findPickle(entries, where);
  const { value, inertNames } = runPickle(await readEntry(source, pickle));
  const stateDict = findStateDict(value);
  if (stateDict === null) {
    throw noStateDict(inertNames, where);
  }
  const bigEndian = (await readText(source, byName, `${root}byteorder`)) === 'big';
  const alignment = toAlignment(await readText(source, byName, `${root}.storage_alignment`));
  const keys = new Set([...stateDict.tensors.values()].map((tensor) => `${root}data/${tensor.storage.key}`));
  const storages = entries.filter((entry) => keys.has(entry.name));
  const offsets = await findDataOffsets(source, storages, alignment);
  const tensors = toTensors(
    stateDict,
    where,
    ({ storage }) => {
      const name = `${root}data/${storage.key}`;
      const offset = offsets.get(name);
      return offset === undefined ? null : { offset, length: byName.get(name)?.size ?? 0 };
    },
    bigEndian,
  );
  return { container: 'torch-zip', tensors, notes: toNotes(stateDict, tensors, inertNames) };
}
