import { labelOf } from './build-families.ts';
import { suggestCardPatch } from './card-patch.ts';
import { byText } from './compare.ts';
import type {
  ReportDeclaration,
  ReportEdge,
  ReportEvidence,
  ReportFinding,
  VerdictLine,
} from './document.ts';
import { licenceChain } from './licence-chain.ts';
import { askOpenQuestions } from './open-questions.ts';
import type { EdgeRow, ReportRows, VerdictRow } from './rows.ts';

/** Evidence rows of one finding; a baseline method may leave hundreds. */
const MAX_EVIDENCE = 60;
const MAX_TIES = 20;

/** Lines of all verdicts, and the full story of one on demand: details are only gathered for what is shown. */
export function createFindings(rows: ReportRows) {
  const models = new Map(rows.models.map((row) => [row.repo, row]));
  const corrections = new Map((rows.corrections ?? []).map((row) => [row.repo, row]));
  const labels = new Map((rows.virtualParents ?? []).map((row) => [row.id, row.declared_label]));
  const edgesOf = Map.groupBy(rows.edges, (row) => row.child);
  const evidenceOf = Map.groupBy(rows.evidence, (row) => row.child);
  const declaredOf = Map.groupBy(rows.declaredBases, (row) => row.repo);
  const firstParent = (repo: string) => chosen(edgesOf.get(repo) ?? [])[0]?.parent ?? null;

  const toLine = (row: VerdictRow): VerdictLine => {
    const model = models.get(row.repo);
    return {
      repo: row.repo,
      verdict: row.verdict,
      declared: toNames(row.declared),
      relationDeclared: row.relation_declared,
      inferred: toNames(row.inferred),
      relationInferred: row.relation_inferred,
      probability: row.probability,
      reason: row.reason,
      downloads: model?.downloads ?? null,
      likes: model?.likes ?? null,
      family: model?.family ?? null,
      familyRoot: model?.family_root ?? null,
      corrected: corrections.has(row.repo),
    };
  };

  const toFinding = (line: VerdictLine): ReportFinding => {
    const model = models.get(line.repo);
    const edges = (edgesOf.get(line.repo) ?? []).map((edge) => toEdge(edge, labels));
    const declarations = (declaredOf.get(line.repo) ?? []).map(toDeclaration).sort(byDeclaration);
    const typed = declarations.filter((row) => row.source === 'card').map((row) => row.declared);
    const evidence = toEvidence(evidenceOf.get(line.repo) ?? [], new Set(line.inferred));
    const ties = edges
      .filter((edge) => edge.rank > 1)
      .sort((a, b) => a.rank - b.rank || byText(a.parent, b.parent));
    const finding = {
      ...line,
      owner: model?.owner ?? line.repo.split('/')[0] ?? '',
      architecture: model?.architecture ?? null,
      params: model?.params ?? null,
      dtype: model?.dtype ?? null,
      format: model?.format ?? null,
      createdAt: model?.created_at ?? null,
      sha: model?.sha ?? null,
      status: model?.status ?? ('pending' as const),
      declarations,
      parents: edges
        .filter((edge) => edge.rank === 1)
        .sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0) || byText(a.parent, b.parent)),
      ties: ties.slice(0, MAX_TIES),
      evidence,
      licences: licenceChain(line.repo, firstParent, (repo) => models.get(repo)?.license ?? null),
      correction: toCorrection(corrections.get(line.repo)),
      cardPatch: suggestCardPatch({
        verdict: line.verdict,
        declared: typed.length > 0 ? typed : line.declared,
        inferred: line.inferred,
        edges,
        relationInferred: line.relationInferred,
      }),
    };
    return {
      ...finding,
      openQuestions: askOpenQuestions(finding, (repo) => models.get(repo)?.status ?? null),
    };
  };

  const verdictLines = rows.verdicts.map(toLine).sort((a, b) => byText(a.repo, b.repo));
  return { verdictLines, toFinding };
}

const chosen = (edges: readonly EdgeRow[]) =>
  edges
    .filter((edge) => edge.rank === 1)
    .sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0) || byText(a.parent, b.parent));

function toEdge(edge: EdgeRow, labels: ReadonlyMap<string, string | null>): ReportEdge {
  return {
    parent: edge.parent,
    label: labelOf(edge.parent, labels),
    relation: edge.relation,
    probability: edge.probability,
    rank: edge.rank,
    weight: edge.weight,
    method: edge.method,
    kind: edge.parent_kind,
  };
}

function toDeclaration(row: ReportRows['declaredBases'][number]): ReportDeclaration {
  return { declared: row.declared, resolved: row.resolved_repo, relation: row.relation, source: row.source };
}

const byDeclaration = (a: ReportDeclaration, b: ReportDeclaration) =>
  byText(a.source, b.source) || byText(a.declared, b.declared);

/** About chosen parents first, then by weight; only what bears on the case comes before the cap. */
function toEvidence(
  rows: readonly ReportRows['evidence'][number][],
  inferred: ReadonlySet<string>,
): ReportEvidence[] {
  return [...rows]
    .sort(
      (a, b) =>
        Number(inferred.has(b.parent)) - Number(inferred.has(a.parent)) ||
        byText(a.parent, b.parent) ||
        Math.abs(b.log_odds) - Math.abs(a.log_odds) ||
        byText(a.probe, b.probe),
    )
    .slice(0, MAX_EVIDENCE)
    .map((row) => ({
      parent: row.parent,
      probe: row.probe,
      outcome: row.outcome,
      value: row.value,
      logOdds: row.log_odds,
      detail: row.detail,
    }));
}

function toCorrection(
  row: NonNullable<ReportRows['corrections']>[number] | undefined,
): ReportFinding['correction'] {
  return row
    ? { verdict: row.verdict, reason: row.reason, link: row.link, by: row.by, date: row.date }
    : null;
}

/** A JSON array of names; a row that holds none is an empty list rather than a broken report. */
function toNames(json: string): string[] {
  try {
    const list: unknown = JSON.parse(json);
    return Array.isArray(list) ? list.map(String) : [];
  } catch {
    return [];
  }
}
