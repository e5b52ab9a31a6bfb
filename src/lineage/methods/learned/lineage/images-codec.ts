import { HublineageError } from '../../../../types/errors.ts';
import { fromSetFile, fromSetRow, type SetRow, toSetFile, toSetRow } from '../set-file.ts';
import { PIXELS } from './images.ts';
import type { LabelledImages } from './train.ts';

/** Image sets as bytes: integers in units of each set's largest value. */
const FORMAT = 'hublineage-images-1';
const LARGEST = 32_767;

type ImagesRow = SetRow & { unit: number };

export function toImagesFile(sets: readonly LabelledImages[]): Uint8Array {
  const blocks: Int16Array[] = [];
  const rows = sets.map(({ family, images, parents }): ImagesRow => {
    const both = [images.weights, images.features];
    let top = 1e-12;
    for (const block of both) for (const value of block) top = Math.max(top, Math.abs(value));
    const unit = top / LARGEST;
    for (const block of both) blocks.push(Int16Array.from(block, (value) => Math.round(value / unit)));
    return { ...toSetRow(family, images.createdAt, parents), unit };
  });
  return toSetFile({ format: FORMAT, sets: rows }, blocks);
}

/** HeaderInvalid when the bytes are not such a file. */
export function fromImagesFile(bytes: Uint8Array): LabelledImages[] {
  const { sets, take } = fromSetFile<ImagesRow>(bytes, FORMAT, invalid);
  return sets.map((set) => {
    if (!Number.isFinite(set.unit)) throw invalid('a set has no unit');
    const takeImages = () => Float32Array.from(take(set.minutes.length * PIXELS), (i) => i * set.unit);
    const weights = takeImages();
    const { family, parents } = set;
    return { family, parents, images: { ...fromSetRow(set), weights, features: takeImages() } };
  });
}

function invalid(why: string): HublineageError {
  return new HublineageError('HeaderInvalid', `the detector's images cannot be read: ${why}`, {
    where: 'data/detector',
    hint: 'make them again with `node bench/detector-data.ts`',
  });
}
