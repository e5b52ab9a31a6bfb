import type { PendingQuery, PendingRepo, Store } from './contract.ts';
import type { Connection } from './database.ts';
import { fromFacts, type RepoRow } from './repo-row.ts';

type PendingMethods = Pick<Store, 'takePending' | 'countPending'>;

interface PendingRow extends Pick<RepoRow, 'facts' | 'downloads' | 'likes' | 'hub_id' | 'repo' | 'family'> {
  sha: string | null;
  done: number;
  attempts: number | null;
}

/** Conditions of each queue, spelled as in the partial index that serves it. */
const QUEUES = {
  fingerprint: { done: 'r.fingerprint_version', due: 'r.gone = 0 AND r.superseded = 0 AND r.in_scope = 1' },
  claims: { done: 'r.claims_version', due: 'r.gone = 0 AND r.superseded = 0' },
} as const;

/** FROM and WHERE of a queue; `:now` is for the caller to give. */
export function toQueue(query: Omit<PendingQuery, 'limit'>): {
  from: string;
  params: Record<string, unknown>;
} {
  const { done, due } = QUEUES[query.stage];
  const [after = '-1', afterId = ''] = query.afterKey?.split(' ') ?? [];
  const from = `FROM t_repos r
    LEFT JOIN t_failures x ON x.hub_id = r.hub_id AND x.stage = '${query.stage}'
    WHERE ${due} AND ${done} < :version AND (${done}, r.hub_id) > (:after, :afterId)
      AND (x.hub_id IS NULL OR x.version < :version
        OR (x.exhausted = 0 AND (x.retry_after IS NULL OR x.retry_after <= :now)))
      ${query.families === undefined ? '' : 'AND r.family IN (SELECT value FROM json_each(:families))'}`;
  const params: Record<string, unknown> = { version: query.version, after: Number(after), afterId };
  if (query.families !== undefined) params.families = JSON.stringify(query.families);
  return { from, params };
}

/** What is left to do. Repos that were dealt with at the version asked for lie outside the index range and cost nothing. */
export function createPending(connection: Connection): PendingMethods {
  return {
    async takePending(query) {
      const { from, params } = toQueue(query);
      const { done } = QUEUES[query.stage];
      const rows = connection
        .sql(`WITH due AS (
            SELECT r.hub_id, r.repo, r.sha, r.family, r.downloads, r.likes, ${done} AS done, x.attempts ${from}
            ORDER BY ${done}, r.hub_id LIMIT :limit)
          SELECT due.*, f.facts FROM due JOIN t_repo_facts f ON f.hub_id = due.hub_id ORDER BY due.done, due.hub_id`)
        .all({ ...params, now: connection.now().toISOString(), limit: query.limit }) as PendingRow[];
      return rows.map(
        (row): PendingRepo => ({
          key: `${row.done} ${row.hub_id}`,
          hubId: row.hub_id,
          repo: row.repo,
          sha: row.sha,
          family: row.family,
          hub: fromFacts(row),
          attempts: row.attempts ?? 0,
        }),
      );
    },
    async countPending(query) {
      const { from, params } = toQueue(query);
      return connection
        .sql(`SELECT count(*) ${from}`)
        .pluck()
        .get({ ...params, now: connection.now().toISOString() }) as number;
    },
  };
}
