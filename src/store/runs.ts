import { desc, eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import type { RunCounts, RunSpending, Store, StoredRun } from './contract.ts';
import type { Connection } from './database.ts';
import { runs } from './schema.ts';

type RunMethods = Pick<Store, 'startRun' | 'updateRun' | 'finishRun' | 'listRuns'>;

/** What is told of a run while it lasts and at its end. */
export function createRuns(connection: Connection): RunMethods {
  const orm = drizzle(connection.db);
  const update = (runId: number, values: Partial<StoredRun>) => {
    if (Object.keys(values).length > 0) orm.update(runs).set(values).where(eq(runs.runId, runId)).run();
  };
  return {
    async startRun(stage) {
      return connection.write(() => {
        const startedAt = connection.now().toISOString();
        return orm.insert(runs).values({ stage, status: 'running', startedAt }).returning().get().runId;
      });
    },
    async updateRun(runId, counts: Partial<RunCounts & RunSpending>) {
      connection.write(() => update(runId, counts));
    },
    async finishRun(runId, status, counts = {}, spending = {}) {
      connection.write(() =>
        update(runId, { ...counts, ...spending, status, finishedAt: connection.now().toISOString() }),
      );
    },
    async listRuns(limit = 20, stage) {
      const query = orm.select().from(runs).orderBy(desc(runs.runId)).limit(limit).$dynamic();
      return (stage === undefined ? query : query.where(eq(runs.stage, stage))).all() satisfies StoredRun[];
    },
  };
}
