import type { Connection } from './database.ts';

/**
 * Gives the repo's node its name of today; null when another repo has taken the name and no new one is known yet. A node keeps its
 * edges, verdicts and histories, whatever it is called. To be called inside a write.
 */
export function moveNode(connection: Connection, hubId: string, name: string | null): void {
  const own = connection.sql('SELECT node_id FROM t_nodes WHERE hub_id = ?').pluck().get(hubId) as
    | number
    | undefined;
  if (own === undefined) {
    if (name !== null)
      connection.sql('UPDATE t_nodes SET hub_id = ? WHERE name = ? AND hub_id IS NULL').run(hubId, name);
    return;
  }
  if (name !== null) {
    connection
      .sql("UPDATE t_nodes SET name = name || '#' || node_id WHERE name = ? AND node_id <> ?")
      .run(name, own);
  }
  connection
    .sql("UPDATE t_nodes SET name = COALESCE(?, name || '#' || node_id) WHERE node_id = ?")
    .run(name, own);
}

/** Looks up node ids by name, making nodes for names not seen before. To be called inside a write. */
export function createNodeLookup(connection: Connection): (name: string) => number {
  const known = new Map<string, number>();
  for (const row of connection.sql('SELECT node_id, name FROM t_nodes').all() as {
    node_id: number;
    name: string;
  }[])
    known.set(row.name, row.node_id);
  const findHubId = connection.sql('SELECT hub_id FROM t_repos WHERE repo = ? AND superseded = 0').pluck();
  const insert = connection.sql('INSERT INTO t_nodes (name, hub_id) VALUES (?, ?)');
  return (name) => {
    let id = known.get(name);
    if (id === undefined) {
      id = Number(insert.run(name, (findHubId.get(name) as string | undefined) ?? null).lastInsertRowid);
      known.set(name, id);
    }
    return id;
  };
}
