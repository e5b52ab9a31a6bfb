/**
 * `npm run soak [-- --seeds 200 --kills 100 --first 1]`: nights of mixed faults and runs killed at seeded moments, each held against a calm
 * night row by row. A failing seed is printed and can be run alone: `--first SEED --seeds 1 --kills 0`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULT_CLASSES, type FaultClass, startMinihub } from '../src/minihub/index.ts';
import { openStore } from '../src/store/index.ts';
import { runHublineage } from '../test/helpers/cli.ts';
import { type Dump, dumpDatabase } from '../test/helpers/dump.ts';
import { killMoments } from '../test/helpers/kill-moments.ts';
import { createTestClock, runNight } from '../test/helpers/night.ts';
import { createSmallHub } from '../test/helpers/small-hub.ts';

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    kills: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
  },
});
const DAY_MS = 86_400_000;
/** After these nothing can be as on the calm night: the Hub itself is changed, bytes are wrong in silence, or a refusal is final. */
const NOT_CURED: readonly FaultClass[] = [
  'missing-row',
  'flipped-byte',
  'redirect-foreign',
  'repo-deleted',
  'repo-gated',
  'repo-renamed',
  'main-moves',
  'cdn-dns',
];
const CURED = FAULT_CLASSES.filter((name) => !NOT_CURED.includes(name));
const CLASSES_A_NIGHT = 6;
const folder = mkdtempSync(join(tmpdir(), 'soak-'));
let failed = 0;

const sameRows = (a: Dump, b: Dump) => JSON.stringify(a) === JSON.stringify(b);

function tellDifference(what: string, found: Dump, expected: Dump): void {
  failed++;
  console.error(`${what}: other rows than on a calm night`);
  for (const [view, rows] of Object.entries(expected)) {
    const lost = rows.filter((row) => !found[view]?.includes(row));
    const added = (found[view] ?? []).filter((row) => !rows.includes(row));
    for (const row of lost.slice(0, 3)) console.error(`  - ${view} ${row}`);
    for (const row of added.slice(0, 3)) console.error(`  + ${view} ${row}`);
  }
}

/** Faults of several classes at once, twice as often on one address as the calm matrix has them; then the nights until all is read. */
async function runFaultyNights(first: number, count: number): Promise<void> {
  const calmHub = await startMinihub({ repos: createSmallHub(), clock: createTestClock() });
  const calmFile = join(folder, 'calm.sqlite');
  await runNight(calmHub, calmFile, { clock: createTestClock() });
  const calm = await dumpDatabase(calmFile);
  await calmHub.close();

  const seen = { hits: 0, sameNight: 0, nights: 0, throttled: 0, classes: new Set<string>() };
  for (let seed = first; seed < first + count; seed++) {
    const draws = killMoments(seed, CLASSES_A_NIGHT + 1);
    const classes = draws.slice(1).map((draw) => CURED[Math.floor(draw * CURED.length)]!);
    const rate = 0.02 + 0.2 * draws[0]!;
    const clock = createTestClock();
    const hub = await startMinihub({
      repos: createSmallHub(),
      clock,
      strict: true,
      quotas: { api: 40, resolvers: 60, pages: 10, windowSeconds: 300 },
      faults: {
        seed,
        classes: Object.fromEntries(classes.map((name) => [name, { rate, maxPerUrl: 2 }])),
        stallMs: 700,
      },
    });
    const file = join(folder, `faults-${seed}.sqlite`);
    let dump: Dump = {};
    let night = 0;
    for (; night < 4; night++) {
      // the third night is calm: what still differs then is lost for good
      if (night === 2) hub.setFaults(null);
      await runNight(hub, file, { clock, config: { hub: { timeoutMs: 300 } } });
      dump = await dumpDatabase(file);
      if (sameRows(dump, calm)) break;
      clock.advance(DAY_MS);
    }
    const { faults, leakedTokens } = hub.stats();
    for (const [name, hits] of Object.entries(faults)) {
      seen.hits += hits;
      if (hits > 0) seen.classes.add(name);
    }
    seen.nights += night + 1;
    if (night === 0) seen.sameNight++;
    if (!sameRows(dump, calm))
      tellDifference(`seed ${seed} (${classes.join(', ')} at ${rate.toFixed(2)})`, dump, calm);
    if (leakedTokens > 0) failed++;
    await hub.close();
    rmSync(file, { force: true });
  }
  console.log(
    `${count} seeds of mixed faults: ${seen.hits} faults of ${seen.classes.size} classes, ${seen.sameNight} ended the same night ` +
      `with the rows of a calm one, all of them after ${(seen.nights / Math.max(1, count)).toFixed(2)} nights on average`,
  );
}

/** Child processes killed with SIGKILL, every fifth one twice, then left to finish. */
async function runKills(first: number, count: number): Promise<void> {
  const hub = await startMinihub({ repos: createSmallHub(), latencyMs: 5, quotas: 'unlimited' });
  const refresh = (database: string, killAfterMs: number | null) =>
    runHublineage(['refresh', '--db', database, '--quiet'], {
      cwd: folder,
      env: { HF_ENDPOINT: hub.url },
      ...(killAfterMs === null
        ? {}
        : { onStart: (child) => void setTimeout(() => child.kill('SIGKILL'), killAfterMs) }),
    });
  const calmFile = join(folder, 'calm-kill.sqlite');
  const startedAt = performance.now();
  await refresh(calmFile, null);
  const calmMs = performance.now() - startedAt;
  const calm = await dumpDatabase(calmFile);
  let killed = 0;
  for (const [index, share] of killMoments(first, count).entries()) {
    const file = join(folder, `kill-${index}.sqlite`);
    for (const moment of index % 5 === 4 ? [share, 1 - share] : [share])
      if ((await refresh(file, moment * calmMs)).signal === 'SIGKILL') killed++;
    const { code, stderr } = await refresh(file, null);
    const what = `kill ${index} at ${share.toFixed(3)} of ${Math.round(calmMs)} ms`;
    if (code !== 0) {
      failed++;
      console.error(`${what}: the run after it ended with ${code}\n${stderr}`);
      continue;
    }
    const dump = await dumpDatabase(file);
    if (!sameRows(dump, calm)) tellDifference(what, dump, calm);
    const store = await openStore(file, { readonly: true });
    const problems = await store.integrityCheck();
    await store.close();
    if (problems.length > 0) {
      failed++;
      console.error(`${what}: ${problems.join('; ')}`);
    }
    rmSync(file, { force: true });
  }
  await hub.close();
  console.log(
    `${count} seeded moments, ${killed} kills that met a run at work: nothing lost, nothing doubled`,
  );
}

try {
  if (Number(flags.seeds) > 0) await runFaultyNights(Number(flags.first), Number(flags.seeds));
  if (Number(flags.kills) > 0) await runKills(Number(flags.first), Number(flags.kills));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(failed === 0 ? 'all as on a calm night' : `${failed} differences, listed above`);
process.exitCode = failed === 0 ? 0 : 1;
