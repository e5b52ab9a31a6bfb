import type { Edge, Evidence, FamilyMember, VirtualParent } from '../types/lineage.ts';
import { writeBulk } from './bulk.ts';
import { toParentLists, walkAncestors } from './closure.ts';
import type { DerivedRows, Store } from './contract.ts';
import { countDerived } from './counts.ts';
import type { Connection } from './database.ts';
import { recordEdgeHistory } from './history.ts';
import { createNodeLookup } from './nodes.ts';

type DerivedMethods = Pick<
  Store,
  'replaceDerived' | 'loadEdges' | 'loadEvidence' | 'loadFamilies' | 'loadVirtualParents'
>;

type Lookup = (name: string) => number;

/** Rows with the ids of their key, in the order of the key: a table filled in its own order grows at its end alone. */
function inKeyOrder<T>(
  rows: readonly T[],
  toKey: (row: T) => [number, number],
): { key: [number, number]; row: T }[] {
  return rows
    .map((row) => ({ key: toKey(row), row }))
    .sort((a, b) => a.key[0] - b.key[0] || a.key[1] - b.key[1]);
}

function insertEdges(connection: Connection, node: Lookup, edges: readonly Edge[]): void {
  const insert = connection.sql(`INSERT OR REPLACE INTO t_edges
    (child, parent, rank, child_name, parent_name, relation, probability, weight, method, parent_kind)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  for (const { key, row } of inKeyOrder(edges, (edge) => [node(edge.child), edge.rank])) {
    insert.run(
      key[0],
      node(row.parent),
      row.rank,
      row.child,
      row.parent,
      row.relation,
      row.probability,
      row.weight,
      row.method,
      row.parentKind,
    );
  }
}

function insertEvidence(connection: Connection, node: Lookup, evidence: readonly Evidence[]): void {
  const insert = connection.sql(`INSERT INTO t_evidence
    (child, parent, position, probe, outcome, value, log_odds, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  let last: [number, number] = [0, 0];
  let position = 0;
  // The sort is stable: findings about one pair stay in the order they were given in.
  for (const { key, row } of inKeyOrder(evidence, (item) => [node(item.child), node(item.parent)])) {
    position = key[0] === last[0] && key[1] === last[1] ? position + 1 : 0;
    last = key;
    insert.run(...key, position, row.probe, row.outcome, row.value, row.logOdds, row.detail);
  }
}

/** The closure over chosen parents, one row a pair. */
function insertAncestors(connection: Connection): void {
  const edges = connection.sql('SELECT child, parent FROM t_edges WHERE rank = 1').raw().all() as [
    number,
    number,
  ][];
  const ids = [...new Set(edges.flat())].sort((a, b) => a - b);
  const index = new Map(ids.map((id, i) => [id, i]));
  const lists = toParentLists(
    ids.length,
    edges.map(([child, parent]) => [index.get(child)!, index.get(parent)!] as const),
  );
  const seen = new Int32Array(ids.length);
  const insert = connection.sql('INSERT INTO t_ancestors (node_id, ancestor, depth) VALUES (?, ?, ?)');
  for (let i = 0; i < ids.length; i++)
    walkAncestors(lists, i, seen, (ancestor, depth) => insert.run(ids[i], ids[ancestor], depth));
}

function readFamilies(connection: Connection): Map<number, string> {
  const rows = connection
    .sql(
      `SELECT n.node_id, r.family FROM t_nodes n JOIN t_repos r ON r.hub_id = n.hub_id WHERE r.family IS NOT NULL`,
    )
    .raw()
    .all() as [number, string][];
  return new Map(rows);
}

function insertFamilies(connection: Connection, node: Lookup, members: readonly FamilyMember[]): void {
  const roots = new Map<number, { family: string | null; models: number; maxDepth: number }>();
  const ordered = inKeyOrder(members, (member) => [node(member.repo), node(member.root)]);
  // only now has every member a node, single models among them
  const families = readFamilies(connection);
  for (const { key, row } of ordered) {
    const root = roots.get(key[1]) ?? { family: families.get(key[1]) ?? null, models: 0, maxDepth: 0 };
    // A virtual root is no repo: it belongs to the family of its descendants.
    root.family ??= families.get(key[0]) ?? null;
    root.models++;
    root.maxDepth = Math.max(root.maxDepth, row.depth);
    roots.set(key[1], root);
  }
  const insert =
    connection.sql(`INSERT OR REPLACE INTO t_families (node_id, root, repo, root_name, depth, family)
    VALUES (?, ?, ?, ?, ?, ?)`);
  for (const { key, row } of ordered) {
    const family = families.get(key[0]) ?? roots.get(key[1])!.family;
    insert.run(...key, row.repo, row.root, row.depth, family);
  }
  const insertRoot = connection.sql(
    'INSERT INTO t_roots (root, family, models, max_depth) VALUES (?, ?, ?, ?)',
  );
  for (const [root, { family, models, maxDepth }] of roots) insertRoot.run(root, family, models, maxDepth);
  // Written only where it moved: on most nights that is a few rows of a million.
  const rootName =
    '(SELECT f.root_name FROM t_nodes n JOIN t_families f ON f.node_id = n.node_id WHERE n.hub_id = t_repos.hub_id)';
  connection.sql(`UPDATE t_repos SET family_root = ${rootName} WHERE family_root IS NOT ${rootName}`).run();
}

function insertVirtualParents(connection: Connection, node: Lookup, parents: readonly VirtualParent[]): void {
  const insert = connection.sql(
    `INSERT OR REPLACE INTO t_virtual_parents
       (node_id, declared_label, children, core, core_key, core_error, core_from) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const { id, declaredLabel, children, core = null } of parents)
    insert.run(
      node(id),
      declaredLabel,
      JSON.stringify(children),
      core && Buffer.from(core.values.buffer, core.values.byteOffset, core.values.byteLength),
      core?.key ?? null,
      core?.relativeError ?? null,
      core?.from ?? null,
    );
}

interface VirtualParentRow {
  id: string;
  declaredLabel: string | null;
  children: string;
  core: Buffer | null;
  coreKey: string | null;
  coreError: number | null;
  coreFrom: number | null;
}

function toVirtualParent(row: VirtualParentRow): VirtualParent {
  const { id, declaredLabel, core, coreKey, coreError, coreFrom } = row;
  const parent = { id, declaredLabel, children: JSON.parse(row.children) as string[] };
  if (core === null || coreKey === null || coreError === null || coreFrom === null) return parent;
  // copied: SQLite's buffers need not lie on a multiple of four
  const values = new Float32Array(Uint8Array.from(core).buffer);
  return { ...parent, core: { key: coreKey, values, relativeError: coreError, from: coreFrom } };
}

const TABLES = ['t_evidence', 't_ancestors', 't_edges', 't_families', 't_roots', 't_virtual_parents'];

function replaceAll(connection: Connection, rows: DerivedRows, runId: number): void {
  for (const table of TABLES) connection.sql(`DELETE FROM ${table}`).run();
  const node = createNodeLookup(connection);
  insertEdges(connection, node, rows.edges);
  insertEvidence(connection, node, rows.evidence);
  insertAncestors(connection);
  insertFamilies(connection, node, rows.families);
  insertVirtualParents(connection, node, rows.virtualParents);
  recordEdgeHistory(connection, runId);
  countDerived(connection);
}

const EDGES = `SELECT child_name AS child, parent_name AS parent, relation, probability, rank, weight, method,
    parent_kind AS parentKind
  FROM t_edges ORDER BY child_name, rank, parent_name`;

/** What inference concluded: dropped and rebuilt as a whole in one transaction, so readers see the old tree or the new one. */
export function createDerived(connection: Connection): DerivedMethods {
  return {
    async replaceDerived(rows, runId) {
      const count = rows.edges.length + rows.evidence.length + rows.families.length;
      writeBulk(connection, TABLES, count, () => replaceAll(connection, rows, runId));
    },
    async loadEdges() {
      return connection.sql(EDGES).all() as Edge[];
    },
    async loadEvidence(child, parent) {
      return connection
        .sql(`SELECT c.name AS child, p.name AS parent, v.probe, v.outcome, v.value, v.log_odds AS logOdds, v.detail
          FROM t_nodes c JOIN t_evidence v ON v.child = c.node_id JOIN t_nodes p ON p.node_id = v.parent
          WHERE c.name = :child AND (:parent IS NULL OR p.name = :parent) ORDER BY p.name, v.position`)
        .all({ child, parent: parent ?? null }) as Evidence[];
    },
    async loadFamilies() {
      return connection
        .sql('SELECT repo, root_name AS root, depth FROM t_families ORDER BY repo')
        .all() as FamilyMember[];
    },
    async loadVirtualParents() {
      const rows = connection
        .sql(`SELECT n.name AS id, v.declared_label AS declaredLabel, v.children, v.core, v.core_key AS coreKey,
            v.core_error AS coreError, v.core_from AS coreFrom
          FROM t_virtual_parents v JOIN t_nodes n ON n.node_id = v.node_id ORDER BY n.name`)
        .all() as VirtualParentRow[];
      return rows.map(toVirtualParent);
    },
  };
}
