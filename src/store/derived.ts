import type { Edge, Evidence, FamilyMember, VirtualParent } from '../types/lineage.ts';
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

function insertEdges(connection: Connection, node: Lookup, edges: readonly Edge[]): void {
  const insert = connection.sql(`INSERT OR REPLACE INTO t_edges
    (child, parent, rank, child_name, parent_name, relation, probability, weight, method, parent_kind)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  for (const edge of edges) {
    insert.run(
      node(edge.child),
      node(edge.parent),
      edge.rank,
      edge.child,
      edge.parent,
      edge.relation,
      edge.probability,
      edge.weight,
      edge.method,
      edge.parentKind,
    );
  }
}

function insertEvidence(connection: Connection, node: Lookup, evidence: readonly Evidence[]): void {
  const insert = connection.sql(`INSERT INTO t_evidence
    (child, parent, position, probe, outcome, value, log_odds, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const positions = new Map<string, number>();
  for (const row of evidence) {
    const child = node(row.child);
    const parent = node(row.parent);
    const pair = `${child} ${parent}`;
    const position = positions.get(pair) ?? 0;
    positions.set(pair, position + 1);
    insert.run(child, parent, position, row.probe, row.outcome, row.value, row.logOdds, row.detail);
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

function insertFamilies(connection: Connection, node: Lookup, families: readonly FamilyMember[]): void {
  const insert =
    connection.sql(`INSERT OR REPLACE INTO t_families (node_id, root, repo, root_name, depth, family)
    VALUES (:node, :root, :repo, :rootName, :depth,
    (SELECT r.family FROM t_nodes n JOIN t_repos r ON r.hub_id = n.hub_id WHERE n.node_id = :node))`);
  for (const member of families)
    insert.run({
      node: node(member.repo),
      root: node(member.root),
      repo: member.repo,
      rootName: member.root,
      depth: member.depth,
    });
  // A virtual root is no repo: it belongs to the family of its descendants.
  connection
    .sql(`UPDATE t_families SET family = (SELECT max(m.family) FROM t_families m WHERE m.root = t_families.root)
      WHERE family IS NULL`)
    .run();
  connection
    .sql(`INSERT INTO t_roots (root, family, models, max_depth)
      SELECT root, max(family), count(*), max(depth) FROM t_families GROUP BY root`)
    .run();
  // Written only where it moved: on most nights that is a few rows of a million.
  const root = `(SELECT f.root_name FROM t_nodes n JOIN t_families f ON f.node_id = n.node_id WHERE n.hub_id = t_repos.hub_id)`;
  connection.sql(`UPDATE t_repos SET family_root = ${root} WHERE family_root IS NOT ${root}`).run();
}

function insertVirtualParents(connection: Connection, node: Lookup, parents: readonly VirtualParent[]): void {
  const insert = connection.sql(
    'INSERT OR REPLACE INTO t_virtual_parents (node_id, declared_label, children) VALUES (?, ?, ?)',
  );
  for (const parent of parents)
    insert.run(node(parent.id), parent.declaredLabel, JSON.stringify(parent.children));
}

function replaceAll(connection: Connection, rows: DerivedRows, runId: number): void {
  for (const table of ['t_evidence', 't_ancestors', 't_edges', 't_families', 't_roots', 't_virtual_parents'])
    connection.sql(`DELETE FROM ${table}`).run();
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
      connection.write(() => replaceAll(connection, rows, runId));
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
        .sql(`SELECT n.name AS id, v.declared_label AS declaredLabel, v.children
          FROM t_virtual_parents v JOIN t_nodes n ON n.node_id = v.node_id ORDER BY n.name`)
        .all() as { id: string; declaredLabel: string | null; children: string }[];
      return rows.map((row) => ({ ...row, children: JSON.parse(row.children) as string[] }));
    },
  };
}
