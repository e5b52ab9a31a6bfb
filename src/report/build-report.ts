import { HublineageError } from '../types/errors.ts';
import { MODEL_STATUSES } from '../types/verdict.ts';
import { buildChanges } from './build-changes.ts';
import { buildFamilies } from './build-families.ts';
import { createFindings } from './build-findings.ts';
import { buildMethod, type ReportOptions } from './build-method.ts';
import { byText, countBy } from './compare.ts';
import {
  REPORT_SCHEMA_VERSION,
  type ReportCoverage,
  type ReportDocument,
  type ReportFailures,
  type ReportSnapshot,
  type VerdictLine,
} from './document.ts';
import type { ReportRows, RunRow } from './rows.ts';
import { trimFamily } from './trim-family.ts';
import { VERDICT_ORDER, VERDICT_WORDS } from './verdict-words.ts';

export type { ReportOptions } from './build-method.ts';

const MAX_FINDINGS = 500;
/** Claims that are hints do not make a model a declaring one. */
const HINT_SOURCES = new Set(['config', 'prose']);

/** The report on the whole index. The same rows give the same document; time comes from the run's row alone. */
export function buildReport(rows: ReportRows, options: ReportOptions): ReportDocument {
  const maxFindings = options.maxFindings ?? MAX_FINDINGS;
  const families = buildFamilies(rows);
  const { verdictLines, toFinding } = createFindings(rows);
  const flagged = mostImportant(verdictLines);
  const snapshot = buildSnapshot(rows.runs.at(-1));
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    kind: 'ecosystem',
    subject: null,
    title: 'Lineage report',
    generatedAt: snapshot.finishedAt ?? snapshot.startedAt,
    snapshot,
    coverage: buildCoverage(rows, families.length),
    verdictCounts: countVerdicts(verdictLines),
    findings: flagged.slice(0, maxFindings).map((line) => toFinding(line)),
    findingsTotal: flagged.length,
    verdicts: verdictLines,
    families,
    changes: buildChanges(rows),
    failures: buildFailures(rows),
    method: buildMethod(options),
  };
}

/** The report on one family, by the repo (or virtual id) at its root. Throws ModelUnknown when nothing hangs there. */
export function buildFamilyReport(rows: ReportRows, root: string, options: ReportOptions): ReportDocument {
  const whole = buildReport(rows, { ...options, maxFindings: 0 });
  const family = whole.families.find((candidate) => candidate.root === root);
  if (!family) throw unknownModel(root, 'is not the root of a family');
  const members = new Set(family.nodes.map((node) => node.repo));
  const { verdictLines, toFinding } = createFindings(rows);
  const lines = verdictLines.filter((line) => members.has(line.repo));
  const flagged = mostImportant(lines);
  return {
    ...whole,
    kind: 'family',
    subject: root,
    title: `Family of ${family.label}`,
    coverage: buildCoverage(restrict(rows, members), 1),
    verdictCounts: countVerdicts(lines),
    findings: flagged.slice(0, options.maxFindings ?? MAX_FINDINGS).map((line) => toFinding(line)),
    findingsTotal: flagged.length,
    verdicts: lines,
    families: [family],
    changes: null,
    failures: buildFailures(restrict(rows, members)),
  };
}

/** The report on one model: its verdict whatever it is, its place in the tree (ancestors, siblings, descendants), its evidence. */
export function buildModelReport(rows: ReportRows, repo: string, options: ReportOptions): ReportDocument {
  if (!rows.models.some((model) => model.repo === repo)) throw unknownModel(repo, 'is not in the index');
  const { verdictLines, toFinding } = createFindings(rows);
  const line = verdictLines.find((candidate) => candidate.repo === repo);
  const family = buildFamilies(rows).find((candidate) => candidate.nodes.some((node) => node.repo === repo));
  const snapshot = buildSnapshot(rows.runs.at(-1));
  const only = restrict(rows, new Set([repo]));
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    kind: 'model',
    subject: repo,
    title: repo,
    generatedAt: snapshot.finishedAt ?? snapshot.startedAt,
    snapshot,
    coverage: buildCoverage(only, family ? 1 : 0),
    verdictCounts: countVerdicts(line ? [line] : []),
    findings: line ? [toFinding(line)] : [],
    findingsTotal: line ? 1 : 0,
    verdicts: line ? [line] : [],
    families: family ? [trimFamily(family, repo)] : [],
    changes: null,
    failures: buildFailures(only),
    method: buildMethod(options),
  };
}

/** Most severe first, then by downloads; verdicts that call for nothing are left out. */
function mostImportant(lines: readonly VerdictLine[]): VerdictLine[] {
  const severity = (line: VerdictLine) => VERDICT_WORDS[line.verdict].severity;
  return lines
    .filter((line) => severity(line) > 0)
    .sort(
      (a, b) =>
        severity(b) - severity(a) || (b.downloads ?? 0) - (a.downloads ?? 0) || byText(a.repo, b.repo),
    );
}

function countVerdicts(lines: readonly VerdictLine[]): ReportDocument['verdictCounts'] {
  const counts = new Map(countBy(lines, (line) => line.verdict).map(({ key, count }) => [key, count]));
  return VERDICT_ORDER.map((verdict) => ({ verdict, count: counts.get(verdict) ?? 0 }));
}

function buildCoverage(rows: ReportRows, families: number): ReportCoverage {
  const statuses = new Map(
    countBy(rows.models, (model) => model.status).map(({ key, count }) => [key, count]),
  );
  const declaring = rows.declaredBases.filter((row) => !HINT_SOURCES.has(row.source));
  return {
    models: rows.models.length,
    byStatus: MODEL_STATUSES.flatMap((status) => {
      const count = statuses.get(status) ?? 0;
      return count > 0 ? [{ status, count }] : [];
    }),
    byFamily: countBy(rows.models, (model) => model.family ?? 'unrecognised').map(({ key, count }) => ({
      family: key,
      count,
    })),
    declaring: new Set([
      ...declaring.map((row) => row.repo),
      ...rows.verdicts.filter((row) => row.declared !== '[]').map((row) => row.repo),
    ]).size,
    withParent: new Set(rows.edges.filter((edge) => edge.rank === 1).map((edge) => edge.child)).size,
    families,
  };
}

function buildFailures(rows: ReportRows): ReportFailures {
  const sorted = [...rows.failures].sort((a, b) => byText(a.repo, b.repo) || byText(a.stage, b.stage));
  return {
    total: sorted.length,
    byCode: countBy(sorted, (row) => `${row.stage}\n${row.error_code}`).map(({ key, count }) => {
      const [stage = '', code = ''] = key.split('\n');
      return { stage, code, count };
    }),
    rows: sorted.map((row) => ({
      repo: row.repo,
      stage: row.stage,
      code: row.error_code,
      attempts: row.attempts,
      message: row.last_error,
      retryAfter: row.retry_after,
    })),
  };
}

function buildSnapshot(run: RunRow | undefined): ReportSnapshot {
  if (!run) return { runId: null, startedAt: null, finishedAt: null, counts: [] };
  const { run_id, started_at, finished_at, ...others } = run;
  const counts = Object.entries(others)
    .flatMap(([name, value]) => (value === null || value === undefined ? [] : [{ name, value }]))
    .sort((a, b) => byText(a.name, b.name));
  return { runId: String(run_id), startedAt: started_at, finishedAt: finished_at, counts };
}

/** The rows about some models; edges and families stay whole, since a place in a tree needs its surroundings. */
function restrict(rows: ReportRows, repos: ReadonlySet<string>): ReportRows {
  return {
    ...rows,
    models: rows.models.filter((row) => repos.has(row.repo)),
    declaredBases: rows.declaredBases.filter((row) => repos.has(row.repo)),
    edges: rows.edges.filter((row) => repos.has(row.child)),
    verdicts: rows.verdicts.filter((row) => repos.has(row.repo)),
    failures: rows.failures.filter((row) => repos.has(row.repo)),
  };
}

const unknownModel = (name: string, what: string) =>
  new HublineageError('ModelUnknown', `${name} ${what}`, {
    where: name,
    hint: 'names are spelled owner/name; `hublineage sql "select root, count(*) from families group by root"` lists families',
  });
