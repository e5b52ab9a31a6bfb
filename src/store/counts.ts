import type { Connection } from './database.ts';

/** What is counted when conclusions are rebuilt; each query gives label and number. A label is never null. */
const MODEL_COUNTS: Record<string, string> = {
  status: 'SELECT status, count(*) FROM t_repos WHERE superseded = 0 GROUP BY 1',
  family: "SELECT COALESCE(family, 'unknown'), count(*) FROM t_repos WHERE superseded = 0 GROUP BY 1",
  architecture:
    "SELECT COALESCE(architecture, 'unknown'), count(*) FROM t_repos WHERE superseded = 0 GROUP BY 1",
  format: "SELECT COALESCE(format, 'unknown'), count(*) FROM t_repos WHERE superseded = 0 GROUP BY 1",
  license: "SELECT COALESCE(license, 'none'), count(*) FROM t_repos WHERE superseded = 0 GROUP BY 1",
  declaring:
    "SELECT 'declares a base', count(*) FROM t_repos r WHERE superseded = 0 AND EXISTS (SELECT 1 FROM t_claims c WHERE c.hub_id = r.hub_id AND c.hint = 0)",
  relation: 'SELECT relation, count(DISTINCT child) FROM t_edges WHERE rank = 1 GROUP BY 1',
  depth: 'SELECT depth, count(*) FROM t_families GROUP BY 1',
};

const VERDICT_COUNTS: Record<string, string> = {
  verdict: 'SELECT verdict, count(*) FROM t_verdicts GROUP BY 1',
};

function replaceCounts(connection: Connection, counts: Record<string, string>): void {
  for (const [subject, query] of Object.entries(counts)) {
    connection.sql('DELETE FROM t_counts WHERE subject = ?').run(subject);
    const insert = connection.sql('INSERT INTO t_counts (subject, label, models) VALUES (?, ?, ?)');
    for (const [label, models] of connection.sql(query).raw().all() as [string | number, number][])
      insert.run(subject, String(label), models);
  }
}

/** Counts once what would otherwise be a walk over every model at each question. To be called inside a write. */
export function countDerived(connection: Connection): void {
  replaceCounts(connection, MODEL_COUNTS);
}

export function countVerdicts(connection: Connection): void {
  replaceCounts(connection, VERDICT_COUNTS);
}
