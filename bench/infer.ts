/**
 * `node bench/infer.ts [N...] [--threads T]`: what inference costs over N planted fingerprints (bench/lib/planted-index.ts), in wall and
 * CPU seconds and peak memory, each in a process of its own as a night is, with what it remembers in a store:
 * - `rebuild`: everything inferred with nothing remembered; its growth exponent, from CPU time, comes last
 * - `any`: a hundredth of the models are new, each as likely, which no night brings: most are older than others of their families
 * - `night`: a hundredth are new, nine tenths of them the newest of their families, which grow by their sizes, the others any: repos that
 *   were changed
 * - `unchanged`: nothing is new
 * and the bytes that are remembered. Goals at 100,000 on 2 cores: 10 minutes and 4 GB to rebuild; 30 s to place 1,000 new models; T is 2
 * unless told. Samples are cut from the cores (4,096 values a model), so next to nothing is spent on loading.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Sqlite from 'better-sqlite3';
import type { InferPlanted, Measured } from './lib/infer-planted.ts';

/** Up to this size what `any` concludes is held against a rebuild of its own, which takes as long as all else at 100,000. */
const CHECKED_BELOW = 30_000;

const { values, positionals } = parseArgs({
  options: { threads: { type: 'string', default: '2' } },
  allowPositionals: true,
});
const threads = Number(values.threads);
const sizes = positionals.length > 0 ? positionals.map(Number) : [1000, 10_000, 100_000];
if (![threads, ...sizes].every((n) => Number.isInteger(n) && n > 0))
  throw new RangeError('usage: node bench/infer.ts [N...] [--threads T], whole numbers above 0');

const PROGRAM = fileURLToPath(new URL('./lib/infer-planted.ts', import.meta.url));
const round = (x: number) => Number(x.toFixed(3));
const print = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);

function measure(task: Omit<InferPlanted, 'threads'>): Measured {
  const { status, stdout } = spawnSync(
    process.execPath,
    [...process.execArgv, PROGRAM, JSON.stringify({ ...task, threads })],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  if (status !== 0) throw new Error(`the process measured ended with ${status}`);
  return JSON.parse(stdout) as Measured;
}

function printRow(what: string, { hash: _, right, ...measured }: Measured, more: object): void {
  const rounded = Object.entries(measured).map(([key, value]) => [key, round(value)]);
  print({ what, ...Object.fromEntries(rounded), threads, right: round(right), ...more });
}

function countRemembered(path: string): number {
  const db = new Sqlite(path, { readonly: true });
  const bytes = db.prepare('SELECT total(length(value)) FROM t_inference_memory').pluck().get() as number;
  db.close();
  return bytes;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-infer-'));
const cpuSeconds: number[] = [];
try {
  for (const count of sizes) {
    const afresh = (present: InferPlanted['present']) =>
      measure({ count, present, path: join(folder, `${count}-${present}.sqlite`) });
    const path = join(folder, `${count}.sqlite`);
    const goOn = (present: InferPlanted['present']) => measure({ count, present, path });

    const rebuild = afresh('all');
    cpuSeconds.push(rebuild.cpuSeconds);
    printRow('rebuild', rebuild, { new: count });
    const first = goOn('at-first');
    const any = goOn('before-the-night');
    const check = count > CHECKED_BELOW ? null : afresh('before-the-night');
    printRow('any', any, {
      new: any.models - first.models,
      ...(check && { sameAsRebuild: any.hash === check.hash }),
    });
    const night = goOn('all');
    printRow('night', night, {
      new: night.models - any.models,
      sameAsRebuild: night.hash === rebuild.hash,
    });
    const unchanged = goOn('all');
    printRow('unchanged', unchanged, {
      new: 0,
      sameAsRebuild: unchanged.hash === rebuild.hash,
      rememberedBytesPerModel: Math.round(countRemembered(path) / count),
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (sizes.length > 1)
  print({
    exponent: round(Math.log(cpuSeconds.at(-1)! / cpuSeconds[0]!) / Math.log(sizes.at(-1)! / sizes[0]!)),
  });
