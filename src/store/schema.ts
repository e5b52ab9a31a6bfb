import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { RunStatus, StageName } from './contract.ts';

/**
 * The tables that are read and written row by row, for drizzle; a test holds them against what the migrations make. Tables on hot paths
 * (repos, files, fingerprints, derived rows) are spoken to in SQL, where the plan can be seen.
 */
export const runs = sqliteTable('t_runs', {
  runId: integer('run_id').primaryKey({ autoIncrement: true }),
  stage: text('stage').$type<StageName>().notNull(),
  status: text('status').$type<RunStatus>().notNull(),
  startedAt: text('started_at').notNull(),
  finishedAt: text('finished_at'),
  reposSeen: integer('repos_seen').notNull().default(0),
  reposNew: integer('repos_new').notNull().default(0),
  reposChanged: integer('repos_changed').notNull().default(0),
  reposGone: integer('repos_gone').notNull().default(0),
  fingerprinted: integer('fingerprinted').notNull().default(0),
  shared: integer('shared').notNull().default(0),
  failed: integer('failed').notNull().default(0),
  edges: integer('edges').notNull().default(0),
  verdicts: integer('verdicts').notNull().default(0),
  requestsApi: integer('requests_api').notNull().default(0),
  requestsResolvers: integer('requests_resolvers').notNull().default(0),
  requestsPages: integer('requests_pages').notNull().default(0),
  requestsCdn: integer('requests_cdn').notNull().default(0),
  bytes: integer('bytes').notNull().default(0),
});

export const cursors = sqliteTable('t_cursors', {
  key: text('key').primaryKey(),
  value: text('value').notNull(),
  savedAt: text('saved_at').notNull(),
});
