/**
 * Makes the sets the learned detectors are trained and judged on: generated families and, where a zoo is given, its families.
 * Usage: node bench/detector-data.ts [--zoo PATH] [--cache FILE] [--families N] [--only PREFIX] [--out FOLDER]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { toImagesFile } from '../src/lineage/methods/learned/lineage/images-codec.ts';
import type { LabelledImages } from '../src/lineage/methods/learned/lineage/train.ts';
import { toSetsFile } from '../src/lineage/methods/learned/phylogeny/sets-codec.ts';
import type { LabelledSet } from '../src/lineage/methods/learned/phylogeny/train.ts';
import { generatedImages, generatedSets, zooImages, zooSets } from './lib/detector-sets.ts';
import { loadZoo } from './lib/zoo.ts';

const { values } = parseArgs({
  options: {
    zoo: { type: 'string' },
    cache: { type: 'string' },
    families: { type: 'string', default: '300' },
    only: { type: 'string' },
    out: { type: 'string', default: 'data/detector' },
  },
});
const families = Number(values.families);
mkdirSync(values.out, { recursive: true });
const seeds = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const loaded = values.zoo ? await loadZoo(values.zoo, values.cache ? { cacheFile: values.cache } : {}) : null;
const zoo = loaded ? zooSets(loaded) : [];
const images = loaded ? zooImages(loaded) : [];
// The last family of each kind by name is kept from training: split by family, never by child.
const kindOf = (family: string) => (/stable-diffusion/.test(family) ? 'sd' : 'llama');
const names = zoo.map(({ family }) => family).sort();
const isHeldOut = (family: string) => names.filter((n) => kindOf(n) === kindOf(family)).at(-1) === family;
// seeds of training, of early stopping and of judging never meet
const few = Math.ceil(families / 4);
const files: Record<string, () => { models: number; sets: number; bytes: Uint8Array }> = {
  'phylogeny-train': () => packSets(generatedSets(seeds(1, families))),
  'phylogeny-stop': () => packSets(generatedSets(seeds(100_001, Math.ceil(families / 8)))),
  'phylogeny-test': () => packSets(generatedSets(seeds(200_001, Math.ceil(families / 6)))),
  'phylogeny-zoo-train': () => packSets(zoo.filter(({ family }) => !isHeldOut(family))),
  'phylogeny-zoo-test': () => packSets(zoo.filter(({ family }) => isHeldOut(family))),
  'lineage-train': () => packImages(generatedImages(seeds(1, few))),
  'lineage-stop': () => packImages(generatedImages(seeds(100_001, Math.ceil(few / 8)))),
  'lineage-test': () => packImages(generatedImages(seeds(200_001, Math.ceil(few / 6)))),
  'lineage-zoo-train': () => packImages(images.filter(({ family }) => !isHeldOut(family))),
  'lineage-zoo-test': () => packImages(images.filter(({ family }) => isHeldOut(family))),
};
const packSets = (sets: LabelledSet[]) => ({
  sets: sets.length,
  models: sets.reduce((sum, set) => sum + set.parents.length, 0),
  bytes: toSetsFile(sets),
});
const packImages = (sets: LabelledImages[]) => ({
  sets: sets.length,
  models: sets.reduce((sum, set) => sum + set.parents.length, 0),
  bytes: toImagesFile(sets),
});
for (const [name, make] of Object.entries(files)) {
  if (values.only !== undefined && !name.startsWith(values.only)) continue;
  const { sets, models, bytes } = make();
  const packed = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 },
  });
  writeFileSync(join(values.out, `${name}.br`), packed);
  console.log(`${name}: ${sets} sets, ${models} models, ${(packed.length / 1e3).toFixed(0)} kB`);
}
