import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import {
  fromImagesFile,
  fromLineageModelFile,
  fromModelFiles,
  fromSetsFile,
  type LabelledImages,
  type LabelledSet,
  type LineageDetectorModel,
  type PhylogenyModel,
  toLineageModelFile,
  toModelFiles,
} from '../../lineage/index.ts';
import { HublineageError } from '../../types/errors.ts';

/** Where the package keeps its trained weights and what they were trained on. */
export const DETECTOR_FOLDER = fileURLToPath(new URL('../../../data/detector', import.meta.url));

const MAX_FILE_BYTES = 16e6;
/** Training sets unpacked: a hostile file must not fill the memory. */
const MAX_UNPACKED_BYTES = 64e6;
const decompress = promisify(brotliDecompress);

/** Measured sets. FileMissing, BodyTooLarge or HeaderInvalid when the file is not there, too large or not what its name says. */
export async function readSets(folder: string, name: string): Promise<LabelledSet[]> {
  return fromSetsFile(await readPacked(folder, name));
}

/** Image sets, with the same errors. */
export async function readImages(folder: string, name: string): Promise<LabelledImages[]> {
  return fromImagesFile(await readPacked(folder, name));
}

async function readPacked(folder: string, name: string): Promise<Uint8Array> {
  const file = join(folder, `${name}.br`);
  const packed = await readSmall(file);
  try {
    return await decompress(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (cause) {
    throw new HublineageError('HeaderInvalid', 'the training sets cannot be unpacked', {
      where: file,
      cause,
    });
  }
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

export async function readLineageModel(folder: string = DETECTOR_FOLDER): Promise<LineageDetectorModel> {
  return fromLineageModelFile(await readSmall(join(folder, 'lineage.bin')));
}

export async function writeLineageModel(
  folder: string,
  model: LineageDetectorModel,
  trained: Record<string, unknown>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeWhole(join(folder, 'lineage.bin'), toLineageModelFile(model, trained));
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
