import type { Connection } from './database.ts';

/** Calls a node otherwise, wherever its name is repeated. */
function renameNode(connection: Connection, node: number, name: string): void {
  connection
    .sql(
      'UPDATE t_repos SET family_root = ? WHERE family_root = (SELECT name FROM t_nodes WHERE node_id = ?)',
    )
    .run(name, node);
  connection.sql('UPDATE t_nodes SET name = ? WHERE node_id = ?').run(name, node);
  connection.sql('UPDATE t_edges SET child_name = ? WHERE child = ?').run(name, node);
  connection.sql('UPDATE t_edges SET parent_name = ? WHERE parent = ?').run(name, node);
  connection.sql('UPDATE t_families SET repo = ? WHERE node_id = ?').run(name, node);
  connection.sql('UPDATE t_families SET root_name = ? WHERE root = ?').run(name, node);
  connection.sql('UPDATE t_verdicts SET repo = ? WHERE node_id = ?').run(name, node);
}

/** Takes a name from whichever node has it: `owner/name#17` until that one's new name is known. */
function vacate(connection: Connection, node: number, name: string): void {
  renameNode(connection, node, `${name}#${node}`);
}

/**
 * Gives the repo's node its name of today; null when another repo has taken the name and no new one is known yet. A node keeps its
 * edges, verdicts and histories, whatever it is called. To be called inside a write.
 */
export function moveNode(connection: Connection, hubId: string, name: string | null): void {
  const own = connection.sql('SELECT node_id AS node, name FROM t_nodes WHERE hub_id = ?').get(hubId) as
    | { node: number; name: string }
    | undefined;
  if (own === undefined) {
    if (name !== null)
      connection.sql('UPDATE t_nodes SET hub_id = ? WHERE name = ? AND hub_id IS NULL').run(hubId, name);
    return;
  }
  if (own.name === name) return;
  if (name === null) {
    vacate(connection, own.node, own.name);
    return;
  }
  const holder = connection.sql('SELECT node_id FROM t_nodes WHERE name = ?').pluck().get(name) as
    | number
    | undefined;
  if (holder !== undefined) vacate(connection, holder, name);
  renameNode(connection, own.node, name);
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
