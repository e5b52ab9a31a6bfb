import type { EdgeChange, RepoChange, Store, VerdictChange } from './contract.ts';
import type { Connection } from './database.ts';

type HistoryMethods = Pick<
  Store,
  'listVerdictChanges' | 'listVerdictHistory' | 'listEdgeChanges' | 'listRepoChanges'
>;

const STANDS = `EXISTS (SELECT 1 FROM t_edges e WHERE e.child = t_edge_history.child AND e.rank = 1
  AND e.parent = t_edge_history.parent AND e.relation = t_edge_history.relation)`;

/**
 * Notes which chosen edges came and which went since the run before. A run that is done again, after a crash say, first takes back what
 * it had noted, so it leaves the same rows. To be called inside a write.
 */
export function recordEdgeHistory(connection: Connection, runId: number): void {
  const at = connection.now().toISOString();
  connection.sql('UPDATE t_edge_history SET last_run = NULL, last_seen = NULL WHERE last_run = ?').run(runId);
  connection.sql(`DELETE FROM t_edge_history WHERE first_run = ? AND NOT ${STANDS}`).run(runId);
  connection
    .sql(`UPDATE t_edge_history SET last_run = ?, last_seen = ? WHERE last_run IS NULL AND NOT ${STANDS}`)
    .run(runId, at);
  connection
    .sql(`INSERT OR REPLACE INTO t_edge_history (child, parent, first_run, relation, first_seen)
      SELECT e.child, e.parent, ?, e.relation, ? FROM t_edges e
      WHERE e.rank = 1 AND NOT EXISTS (SELECT 1 FROM t_edge_history h
        WHERE h.child = e.child AND h.parent = e.parent AND h.relation = e.relation AND h.last_run IS NULL)`)
    .run(runId, at);
}

/** Adds a row for each model whose verdict or inferred parents differ from its last row. To be called inside a write. */
export function recordVerdictHistory(connection: Connection, runId: number): void {
  connection.sql('DELETE FROM t_verdict_history WHERE run_id = ?').run(runId);
  connection
    .sql(`INSERT INTO t_verdict_history (node_id, run_id, at, verdict, previous, inferred, reason)
      SELECT v.node_id, :run, :at, v.verdict, h.verdict, v.inferred, v.reason
      FROM t_verdicts v LEFT JOIN t_verdict_history h ON h.node_id = v.node_id
        AND h.run_id = (SELECT max(l.run_id) FROM t_verdict_history l WHERE l.node_id = v.node_id)
      WHERE h.node_id IS NULL OR h.verdict <> v.verdict OR h.inferred <> v.inferred`)
    .run({ run: runId, at: connection.now().toISOString() });
}

type VerdictChangeRow = Omit<VerdictChange, 'inferred'> & { inferred: string };

const VERDICT_CHANGES = `SELECT n.name AS repo, h.run_id AS runId, h.at, h.previous AS "from", h.verdict AS "to", h.inferred, h.reason
  FROM t_verdict_history h JOIN t_nodes n ON n.node_id = h.node_id`;

function fromChangeRows(rows: unknown[]): VerdictChange[] {
  return (rows as VerdictChangeRow[]).map((row) => ({
    ...row,
    inferred: JSON.parse(row.inferred) as string[],
  }));
}

export function createHistory(connection: Connection): HistoryMethods {
  return {
    async listVerdictChanges(sinceRun) {
      return fromChangeRows(
        connection.sql(`${VERDICT_CHANGES} WHERE h.run_id > ? ORDER BY h.run_id, n.name`).all(sinceRun),
      );
    },
    async listVerdictHistory(repo) {
      return fromChangeRows(
        connection.sql(`${VERDICT_CHANGES} WHERE n.name = ? ORDER BY h.run_id`).all(repo),
      );
    },
    async listEdgeChanges(sinceRun) {
      return connection
        .sql(`SELECT x.change, c.name AS child, p.name AS parent, x.relation, x.run AS runId, x.at FROM (
            SELECT 'added' AS change, child, parent, relation, first_run AS run, first_seen AS at
              FROM t_edge_history WHERE first_run > :run
            UNION ALL
            SELECT 'removed', child, parent, relation, last_run, last_seen FROM t_edge_history WHERE last_run > :run) x
          JOIN t_nodes c ON c.node_id = x.child JOIN t_nodes p ON p.node_id = x.parent
          ORDER BY x.run, child, parent, x.change`)
        .all({ run: sinceRun }) as EdgeChange[];
    },
    async listRepoChanges(sinceRun) {
      // a repo found gone keeps the run that found it as its last
      return connection
        .sql(`SELECT 'new' AS change, repo FROM t_repos WHERE first_run > :run AND gone = 0 AND superseded = 0
          UNION ALL
          SELECT 'gone', repo FROM t_repos WHERE last_run > :run AND first_run <= :run AND gone = 1 AND superseded = 0
          ORDER BY repo`)
        .all({ run: sinceRun }) as RepoChange[];
    },
  };
}
