/**
 * Makes the sets the phylogeny detector is trained and judged on: generated families and, where a zoo is given, its families.
 * Usage: node bench/detector-data.ts [--zoo PATH] [--families N] [--out FOLDER]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { toSetsFile } from '../src/lineage/methods/learned/phylogeny/sets-codec.ts';
import { generatedSets, zooSets } from './lib/detector-sets.ts';
import { loadZoo } from './lib/zoo.ts';

const { values } = parseArgs({
  options: {
    zoo: { type: 'string' },
    cache: { type: 'string' },
    families: { type: 'string', default: '240' },
    out: { type: 'string', default: 'data/detector' },
  },
});
const families = Number(values.families);
mkdirSync(values.out, { recursive: true });
const seeds = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const zoo = values.zoo
  ? zooSets(await loadZoo(values.zoo, values.cache ? { cacheFile: values.cache } : {}))
  : [];
// The last family of each kind by name is kept from training: split by family, never by child.
const kindOf = (family: string) => (/stable-diffusion/.test(family) ? 'sd' : 'llama');
const names = zoo.map(({ family }) => family).sort();
const isHeldOut = (family: string) => names.filter((n) => kindOf(n) === kindOf(family)).at(-1) === family;
// seeds of training, of early stopping and of judging never meet
const files = {
  'phylogeny-train': generatedSets(seeds(1, families)),
  'phylogeny-stop': generatedSets(seeds(100_001, Math.ceil(families / 8))),
  'phylogeny-test': generatedSets(seeds(200_001, Math.ceil(families / 6))),
  'phylogeny-zoo-train': zoo.filter(({ family }) => !isHeldOut(family)),
  'phylogeny-zoo-test': zoo.filter(({ family }) => isHeldOut(family)),
};
for (const [name, sets] of Object.entries(files)) {
  const bytes = brotliCompressSync(toSetsFile(sets), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 },
  });
  writeFileSync(join(values.out, `${name}.br`), bytes);
  const models = sets.reduce((sum, set) => sum + set.table.repos.length, 0);
  console.log(`${name}: ${sets.length} sets, ${models} models, ${(bytes.length / 1e3).toFixed(0)} kB`);
}
