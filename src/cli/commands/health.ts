import type { Store } from '../../store/index.ts';
import { EXIT } from '../exit-codes.ts';
import { formatBytes, formatDuration, formatNumber } from '../format.ts';
import { withIndex } from '../open-index.ts';
import type { CommandDefinition } from '../setup.ts';

/** A night without a run is something an operator wants to know about; a late one is not. */
const STALE_MS = 36 * 3_600_000;

export interface Health {
  fine: boolean;
  run: string;
  read: string;
  coverage: string;
  failures: string;
  findings: string;
}

export const health: CommandDefinition = {
  name: 'health',
  description: 'Was last night fine? Five lines for an operator; exit 3 when it was not.',
  work: ({ io, loaded, options }) =>
    withIndex(loaded.config.database.file, async (store) => {
      const found = await readHealth(store, Date.now());
      const { fine, ...lines } = found;
      await io.out(
        options.json
          ? `${JSON.stringify(found, null, 2)}\n`
          : `${Object.entries(lines)
              .map(([name, text]) => `${name.padEnd(9)} ${text}`)
              .join('\n')}\n`,
      );
      return fine ? EXIT.done : EXIT.someFailed;
    }),
};

async function readHealth(store: Store, now: number): Promise<Health> {
  const [last] = await store.listRuns(1, 'refresh');
  const models = await store.countView('models');
  const read = await store.countView('models', { where: "status IN ('fingerprinted', 'adapter')" });
  const pending = await store.countView('models', { where: "status = 'pending'" });
  const failures = await store.readView('failures');
  const flagged = await store.countView('verdicts', { where: "verdict = 'contradicted'" });
  const byCode = Map.groupBy(failures, (failure) => failure.error_code);
  const worst = [...byCode]
    .sort((a, b) => b[1].length - a[1].length)
    .slice(0, 3)
    .map(([code, rows]) => `${code} ${rows.length}`);
  const ageMs = last ? now - Date.parse(last.finishedAt ?? last.startedAt) : Number.POSITIVE_INFINITY;
  return {
    fine: last !== undefined && (last.status === 'done' || last.status === 'partial') && ageMs < STALE_MS,
    run: last ? `run ${last.runId} ${last.status}, ${formatDuration(ageMs)} ago` : 'no refresh has run yet',
    read: last
      ? `${last.fingerprinted} read, ${last.shared} known by hashes, ${last.reposNew} new, ${last.reposGone} gone, ${formatBytes(last.bytes)}`
      : '-',
    coverage: `${formatNumber(read, 'model')} of ${models} read, ${pending} pending`,
    failures:
      failures.length === 0 ? 'none' : `${formatNumber(failures.length, 'repo')}: ${worst.join(', ')}`,
    findings: `${formatNumber(flagged, 'contradicted declaration')}`,
  };
}
