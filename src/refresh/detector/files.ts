import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import {
  fromModelFiles,
  fromSetsFile,
  type LabelledSet,
  type PhylogenyModel,
  toModelFiles,
} from '../../lineage/index.ts';
import { HublineageError } from '../../types/errors.ts';

/** Where the package keeps its trained weights and what they were trained on. */
export const DETECTOR_FOLDER = fileURLToPath(new URL('../../../data/detector', import.meta.url));

const MAX_FILE_BYTES = 16e6;
/** Training sets unpacked: a hostile file must not fill the memory. */
const MAX_UNPACKED_BYTES = 200e6;
const decompress = promisify(brotliDecompress);

/** FileMissing, BodyTooLarge or HeaderInvalid when the file is not there, too large or not what its name says. */
export async function readSets(folder: string, name: string): Promise<LabelledSet[]> {
  const file = join(folder, `${name}.br`);
  const packed = await readSmall(file);
  let bytes: Buffer;
  try {
    bytes = await decompress(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (cause) {
    throw new HublineageError('HeaderInvalid', 'the training sets cannot be unpacked', {
      where: file,
      cause,
    });
  }
  return fromSetsFile(bytes);
}

export async function readPhylogenyModel(folder: string = DETECTOR_FOLDER): Promise<PhylogenyModel> {
  const file = join(folder, 'phylogeny.json');
  const text = (await readSmall(file)).toString('utf8');
  let spec: unknown;
  try {
    spec = JSON.parse(text);
  } catch (cause) {
    throw new HublineageError('HeaderInvalid', 'the detector is not described by JSON', {
      where: file,
      cause,
    });
  }
  return fromModelFiles(spec, await readSmall(join(folder, 'phylogeny.bin')));
}

/** Weights first, description last: a reader never meets a description without its weights. */
export async function writePhylogenyModel(
  folder: string,
  model: PhylogenyModel,
  trained: Record<string, unknown>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { spec, weights } = toModelFiles(model);
  await writeWhole(join(folder, 'phylogeny.bin'), weights);
  await writeWhole(join(folder, 'phylogeny.json'), `${JSON.stringify({ ...spec, trained }, null, 1)}\n`);
}

/** Under another name first: a reader or a crash never meets half a file. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}

export async function readSmall(file: string): Promise<Buffer> {
  const size = await stat(file).then(
    (found) => found.size,
    () => null,
  );
  if (size === null)
    throw new HublineageError('FileMissing', 'a file of the detector is not there', {
      where: file,
      hint: 'reinstall the package, or name the folder that has it',
    });
  if (size > MAX_FILE_BYTES)
    throw new HublineageError('BodyTooLarge', 'a file of the detector is too large', { where: file });
  return readFile(file);
}
