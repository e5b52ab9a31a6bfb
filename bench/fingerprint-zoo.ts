import { rm } from 'node:fs/promises';
import { loadZoo } from './lib/zoo.ts';

/** `node bench/fingerprint-zoo.ts DIR OUT`: fingerprints of every repo of a zoo into one file that `loadZoo` takes as its cache. */
const [dir, out] = process.argv.slice(2);
if (dir === undefined || out === undefined) {
  process.stderr.write('usage: node bench/fingerprint-zoo.ts DIR OUT\n');
  process.exit(64);
}
await rm(out, { force: true });
const started = performance.now();
const { models } = await loadZoo(dir, { cacheFile: out });
const read = models.filter(({ fingerprint }) => fingerprint !== null);
for (const { repo, error } of models) if (error !== null) process.stderr.write(`${repo}: ${error}\n`);
process.stdout.write(
  `${JSON.stringify({ models: models.length, fingerprinted: read.length, seconds: (performance.now() - started) / 1000 })}\n`,
);
