/** Scores an inferred lineage against a known one: directed parents by relation, tie sets, merges, families, calibration. */
import type { Edge, LineageResult } from '../../src/types/lineage.ts';
import { measureReliability, type Reliability } from './reliability.ts';
import { createOriginalOf, relationOf, trueRoot } from './truth.ts';

export interface KnownLineage {
  parents: readonly string[];
  /** a Relation, `root`, or `laundered` (called `transformed` here) */
  relation: string;
  /** relative size of the change, where known */
  step?: number | null;
}

export interface RelationScore {
  relation: string;
  total: number;
  /** parents right; a copy or cast of the parent counts as the parent */
  right: number;
  /** parents right by name */
  strict: number;
  /** parents and relation right */
  relationRight: number;
  /** true parent among rank 1 and the ties */
  inTieSet: number;
}

export interface LineageScore {
  relations: RelationScore[];
  all: RelationScore;
  mergeParents: { precision: number; recall: number; f1: number };
  /** models whose inferred root is their true root or a copy of it */
  familiesRight: number;
  /** of rank-1 edges */
  calibrationError: number;
  reliability: Reliability['rows'];
  byFamilySize: { size: string; total: number; right: number }[];
  byStep: { step: string; total: number; right: number }[];
}

export function scoreLineage(truth: ReadonlyMap<string, KnownLineage>, result: LineageResult): LineageScore {
  const known = Object.fromEntries(truth);
  const canon = createOriginalOf(known);
  const rootOf = (repo: string) => trueRoot(known, repo);
  const edges = new Map<string, Edge[]>();
  for (const edge of result.edges) edges.set(edge.child, [...(edges.get(edge.child) ?? []), edge]);
  const familySize = new Map<string, number>();
  for (const repo of truth.keys()) familySize.set(rootOf(repo), (familySize.get(rootOf(repo)) ?? 0) + 1);
  const inferredRoot = new Map(result.families.map((f) => [f.repo, f.root]));

  const relations = new Map<string, RelationScore>();
  const all = emptyScore('all');
  const claims: { probability: number; right: boolean }[] = [];
  const bySize = new Map<string, { total: number; right: number }>();
  const byStep = new Map<string, { total: number; right: number }>();
  const merge = { found: 0, true: 0, both: 0 };
  let familiesRight = 0;
  for (const [repo, row] of truth) {
    const parents = row.parents.filter((parent) => truth.has(parent));
    // a deleted parent can only be answered by none or by a virtual one
    const deleted = parents.length < row.parents.length;
    const mine = (edges.get(repo) ?? []).filter((e) => !deleted || truth.has(e.parent));
    const chosen = mine.filter((e) => e.rank === 1);
    const wanted = new Set(parents.map(canon));
    const got = new Set(chosen.map((e) => canon(e.parent)));
    const right = wanted.size === got.size && [...wanted].every((p) => got.has(p));
    const strict =
      [...parents].sort().join() ===
      chosen
        .map((e) => e.parent)
        .sort()
        .join();
    const relation = relationOf(row.relation);
    const relationRight = right && (parents.length === 0 || chosen[0]?.relation === relation);
    const listed = new Set(mine.map((e) => canon(e.parent)));
    const inTieSet = [...wanted].every((p) => listed.has(p));
    const score = relations.get(relation) ?? emptyScore(relation);
    relations.set(relation, score);
    for (const s of relation === 'root' ? [score] : [score, all]) {
      s.total++;
      if (right) s.right++;
      if (strict) s.strict++;
      if (relationRight) s.relationRight++;
      if (inTieSet) s.inTieSet++;
    }
    if (relation === 'merge' || chosen[0]?.relation === 'merge') {
      merge.found += chosen[0]?.relation === 'merge' ? got.size : 0;
      merge.true += relation === 'merge' ? wanted.size : 0;
      if (relation === 'merge' && chosen[0]?.relation === 'merge')
        merge.both += [...wanted].filter((p) => got.has(p)).length;
    }
    if (canon(inferredRoot.get(repo) ?? repo) === rootOf(repo)) familiesRight++;
    for (const { probability, parent } of chosen)
      claims.push({ probability, right: wanted.has(canon(parent)) });
    if (relation === 'root') continue;
    count(bySize, sizeBand(familySize.get(rootOf(repo))!), right);
    if (row.step !== undefined && row.step !== null && relation === 'finetune')
      count(byStep, stepBand(row.step), right);
  }
  const precision = merge.found > 0 ? merge.both / merge.found : 1;
  const recall = merge.true > 0 ? merge.both / merge.true : 1;
  const { calibrationError, rows: reliability } = measureReliability(claims);
  return {
    relations: [...relations.values()],
    all,
    mergeParents: {
      precision,
      recall,
      f1: precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0,
    },
    familiesRight: familiesRight / truth.size,
    calibrationError,
    reliability,
    byFamilySize: toRows(bySize, 'size') as LineageScore['byFamilySize'],
    byStep: toRows(byStep, 'step') as LineageScore['byStep'],
  };
}

function emptyScore(relation: string): RelationScore {
  return { relation, total: 0, right: 0, strict: 0, relationRight: 0, inTieSet: 0 };
}

function count(map: Map<string, { total: number; right: number }>, key: string, right: boolean): void {
  const row = map.get(key) ?? { total: 0, right: 0 };
  row.total++;
  if (right) row.right++;
  map.set(key, row);
}

function toRows(map: Map<string, { total: number; right: number }>, name: string) {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, row]) => ({ [name]: key, ...row }));
}

function sizeBand(size: number): string {
  return size <= 5 ? '2-5' : size <= 15 ? '06-15' : size <= 40 ? '16-40' : '41+';
}

function stepBand(step: number): string {
  if (step < 0.001) return '1: < 0.1 %';
  if (step < 0.003) return '2: 0.1-0.3 %';
  if (step < 0.01) return '3: 0.3-1 %';
  if (step < 0.03) return '4: 1-3 %';
  if (step < 0.1) return '5: 3-10 %';
  return '6: > 10 %';
}

/** A fixed-width table of one method's scores. */
export function printScore(name: string, score: LineageScore): string {
  const percent = (part: number, whole: number) =>
    whole === 0 ? '     -' : `${((100 * part) / whole).toFixed(1)}`.padStart(6);
  const rows = [...score.relations, score.all].map(
    (s) =>
      `${s.relation.padEnd(12)}${String(s.total).padStart(6)}${percent(s.right, s.total)}${percent(s.strict, s.total).padStart(9)}${percent(s.relationRight, s.total).padStart(12)}${percent(s.inTieSet, s.total).padStart(9)}`,
  );
  return [
    name,
    'relation      total right   strict  + relation  in ties',
    ...rows,
    `merge parents: precision ${score.mergeParents.precision.toFixed(3)}, recall ${score.mergeParents.recall.toFixed(3)}, F1 ${score.mergeParents.f1.toFixed(3)}`,
    `families right: ${(100 * score.familiesRight).toFixed(1)} %; calibration error: ${score.calibrationError.toFixed(3)}`,
    `reliability (claimed -> right, edges): ${score.reliability.map((b) => `${b.claimed.toFixed(2)} -> ${b.right.toFixed(2)} (${b.edges})`).join(', ')}`,
    `by family size: ${score.byFamilySize.map((r) => `${r.size}: ${r.right}/${r.total}`).join(', ')}`,
    `by change: ${score.byStep.map((r) => `${r.step}: ${r.right}/${r.total}`).join(', ')}`,
  ].join('\n');
}
