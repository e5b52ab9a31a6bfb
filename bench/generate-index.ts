import Sqlite from 'better-sqlite3';
import { openStore } from '../src/store/index.ts';
import type { Edge, FamilyMember, Relation } from '../src/types/lineage.ts';
import { VERDICTS, type Verdict } from '../src/types/verdict.ts';

const DAY_MS = 86_400_000;

/** A small seeded generator (mulberry32): the same index each time. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Tree {
  names: string[];
  parents: Int32Array;
  roots: Int32Array;
  depths: Int32Array;
}

/** A forest grown by preferential attachment: few huge trees, many small ones, chains some ten deep, as on the Hub. */
function growForest(count: number, random: () => number): Tree {
  const names: string[] = [];
  const parents = new Int32Array(count).fill(-1);
  const roots = new Int32Array(count);
  const depths = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const owner = Math.floor(random() ** 2 * count * 0.2);
    names.push(random() < 0.002 ? `virtual/llama-${i.toString(16)}` : `owner-${owner}/model-${i}`);
    roots[i] = i;
    if (i > 20 && random() > 0.02) {
      // Half of all models are made from a handful of bases, the rest from anything older.
      const parent = random() < 0.5 ? Math.floor(random() ** 3 * 200) % i : Math.floor(random() * i);
      parents[i] = parent;
      roots[i] = roots[parent]!;
      depths[i] = depths[parent]! + 1;
    }
  }
  return { names, parents, roots, depths };
}

const RELATIONS: [number, Relation][] = [
  [0.45, 'finetune'],
  [0.7, 'quantized'],
  [0.85, 'adapter'],
  [0.9, 'merge'],
  [0.95, 'duplicate'],
  [1, 'cast'],
];

const UNFLAGGED = VERDICTS.filter((verdict) => verdict !== 'contradicted');

/** Writes an index of `count` models with as many edges, claims and verdicts, evidence for a part of them, and a year of history. */
export async function generateIndex(path: string, count: number): Promise<void> {
  const random = createRandom(7);
  const tree = growForest(count, random);
  const start = Date.now() - 365 * DAY_MS;
  await (await openStore(path)).close();
  fillFacts(path, tree, random, start);
  const store = await openStore(path);
  const run = await store.startRun('infer');
  const edges: Edge[] = [];
  const families: FamilyMember[] = [];
  const verdicts: Verdict[] = [];
  for (let i = 0; i < count; i++) {
    const name = tree.names[i]!;
    families.push({ repo: name, root: tree.names[tree.roots[i]!]!, depth: tree.depths[i]! });
    const parent = tree.parents[i]!;
    if (parent >= 0) {
      const draw = random();
      edges.push({
        child: name,
        parent: tree.names[parent]!,
        relation: RELATIONS.find(([share]) => draw < share)![1],
        probability: 0.5 + random() / 2,
        rank: 1,
        weight: null,
        method: 'tree',
        parentKind: tree.names[parent]!.startsWith('virtual/') ? 'virtual' : 'repo',
      });
    }
    if (name.startsWith('virtual/')) continue;
    const draw = random();
    verdicts.push({
      repo: name,
      verdict: draw < 0.02 ? 'contradicted' : UNFLAGGED[Math.floor(random() * UNFLAGGED.length)]!,
      declared: parent < 0 ? [] : [tree.names[parent]!],
      relationDeclared: null,
      inferred: parent < 0 ? [] : [tree.names[parent]!],
      relationInferred: parent < 0 ? null : 'finetune',
      probability: random(),
      reason: 'Declares its parent; the weights agree.',
    });
  }
  await store.replaceDerived({ edges, evidence: makeEvidence(edges), families, virtualParents: [] }, run);
  await store.replaceVerdicts(verdicts, run);
  await store.finishRun(run, 'done', { edges: edges.length, verdicts: verdicts.length });
  await store.close();
  spreadHistory(path, start);
}

function makeEvidence(edges: readonly Edge[]) {
  return edges.slice(0, 200_000).flatMap(({ child, parent }) =>
    ['relative-distance', 'created-before'].map((probe) => ({
      child,
      parent,
      probe,
      outcome: 'supports' as const,
      value: 0.01,
      logOdds: 2,
      detail: 'The distance is 1 %.',
    })),
  );
}

/** Repos, claims and failures in bulk, past the store's own row-by-row methods: minutes become seconds. */
function fillFacts(path: string, tree: Tree, random: () => number, start: number): void {
  const db = new Sqlite(path);
  db.pragma('synchronous = OFF');
  const repo =
    db.prepare(`INSERT INTO t_repos (hub_id, repo, repo_folded, name_folded, owner, family, sha, created_at, last_modified,
      downloads, likes, license, gated, status, architecture, params, dtype, format, fingerprint_version, claims_version, first_run, last_run)
    VALUES (?, ?, ?, ?, ?, 'llama', ?, ?, ?, ?, ?, ?, ?, ?, 'LlamaForCausalLM', 8030261248, 'BF16', 'safetensors', 1, 1, 1, 1)`);
  const claim =
    db.prepare(`INSERT INTO t_claims (hub_id, position, repo, source, declared, raw, normalized, normalized_folded, relation, hint,
      resolved_repo) VALUES (?, 0, ?, 'card', ?, ?, ?, ?, 'finetune', 0, ?)`);
  const failure =
    db.prepare(`INSERT INTO t_failures (hub_id, stage, version, code, message, attempts, exhausted, failed_at, first_code,
      first_message, first_at) VALUES (?, 'fingerprint', 1, ?, 'message', 1, 1, ?, ?, 'message', ?)`);
  const licenses = ['apache-2.0', 'mit', 'llama3', 'cc-by-nc-4.0', null];
  db.transaction(() => {
    for (const [i, name] of tree.names.entries()) {
      if (name.startsWith('virtual/')) continue;
      const hubId = i.toString(16).padStart(24, '0');
      const at = new Date(start + (i / tree.names.length) * 365 * DAY_MS).toISOString();
      const owner = name.slice(0, name.indexOf('/'));
      const failed = random() < 0.01;
      repo.run(
        hubId,
        name,
        name,
        name.slice(owner.length + 1),
        owner,
        hubId.padStart(40, '0'),
        at,
        at,
        Math.floor(1e6 * random() ** 8),
        0,
        licenses[Math.floor(random() * licenses.length)],
        random() < 0.03 ? 'auto' : 'no',
        failed ? 'failed' : 'fingerprinted',
      );
      const parent = tree.parents[i]!;
      if (parent >= 0 && random() < 0.6) {
        const unresolved = random() < 0.03;
        const declared = unresolved ? `lost/base-${Math.floor(random() * 500)}` : tree.names[parent]!;
        claim.run(hubId, name, declared, declared, declared, declared, unresolved ? null : declared);
      }
      if (failed) failure.run(hubId, random() < 0.5 ? 'HeaderInvalid' : 'NoWeights', at, 'HeaderInvalid', at);
    }
  })();
  db.close();
}

/** Edges and verdicts as if they had been found through the year, not all in one run. */
function spreadHistory(path: string, start: number): void {
  const db = new Sqlite(path);
  db.pragma('synchronous = OFF');
  const day = `strftime('%Y-%m-%dT%H:%M:%fZ', ${start / 1000} + (abs(node % 365) * 86400), 'unixepoch')`;
  db.exec(`UPDATE t_edge_history SET first_seen = ${day.replace('node', 'child')}`);
  db.exec(`UPDATE t_verdict_history SET at = ${day.replace('node', 'node_id')},
    previous = CASE WHEN node_id % 50 = 0 THEN 'unknown' END`);
  db.exec('ANALYZE');
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}
