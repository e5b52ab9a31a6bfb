import { buildModelReport, type ReportFinding } from '../../report/index.ts';
import type { StoredRepo, VerdictChange, ViewRows } from '../../store/index.ts';
import type { ResolvedClaim } from '../../types/claims.ts';
import type { HubFile } from '../../types/hub.ts';
import type { PageRequest } from '../contract.ts';
import { readEdgesOf, readModels, readVerdicts } from './cards.ts';
import { readPath } from './outline.ts';

/** Evidence rows read of one model; a baseline method may leave thousands. */
const MAX_EVIDENCE = 2_000;
const MAX_FILES = 500;
const MAX_HISTORY = 100;
const MAX_BY_BEHAVIOUR = 20;

export interface ModelFacts {
  model: ViewRows['models'];
  repo: StoredRepo | null;
  /** verdict, declarations, parents, ties, evidence, licences, card patch: the report's own case, null before an audit */
  finding: ReportFinding | null;
  claims: ResolvedClaim[];
  /** newest first */
  history: VerdictChange[];
  files: HubFile[];
  failures: ViewRows['failures'][];
  /** who answers prompts most like it; not lineage */
  nearestByBehaviour: ViewRows['behaviour'][];
  path: string[];
}

/** Everything about one model but its tree. The report's builder gets just the rows around it, so that it costs the same in any index. */
export async function readModelFacts(
  { store, options, snapshot }: Pick<PageRequest, 'store' | 'options' | 'snapshot'>,
  model: ViewRows['models'],
): Promise<ModelFacts> {
  const { repo } = model;
  const path = await readPath(store, repo);
  const declaredBases = await store.readView('declared_bases', {
    where: 'repo = ?',
    params: [repo],
    order: 'source, declared',
  });
  const own = await store.readView('edges', {
    where: 'child = ?',
    params: [repo],
    order: 'rank, parent',
    limit: 200,
  });
  const evidence = await store.readView('edge_evidence', {
    where: 'child = ?',
    params: [repo],
    limit: MAX_EVIDENCE,
  });
  const around = [
    repo,
    ...path,
    ...own.map((edge) => edge.parent),
    ...declaredBases.flatMap((row) => row.resolved_repo ?? []),
  ];
  const models = await readModels(store, around);
  const verdicts = await readVerdicts(store, [repo]);
  const failures = await store.readView('failures', { where: 'repo = ?', params: [repo] });
  const report = buildModelReport(
    {
      models: [...models.values()],
      declaredBases,
      edges: [...own, ...(await readEdgesOf(store, path))],
      evidence,
      families: [],
      verdicts: [...verdicts.values()],
      failures: [],
      runs: [],
      virtualParents: [...snapshot.virtualLabels].map(([id, declared_label]) => ({ id, declared_label })),
      corrections: (options.corrections ?? []).filter((row) => row.repo === repo),
    },
    repo,
    {
      hubUrl: options.hubUrl,
      method: options.method,
      contradictionPValue: options.contradictionPValue,
      disputeUrl: options.disputeUrl ?? null,
    },
  );
  const stored = await store.getRepo(model.hub_id);
  const history = await store.listVerdictHistory(repo);
  return {
    model,
    repo: stored,
    finding: report.findings[0] ?? null,
    claims: await store.getClaims(model.hub_id),
    history: history.toReversed().slice(0, MAX_HISTORY),
    files: (await store.getFiles(model.hub_id)).slice(0, MAX_FILES),
    failures,
    nearestByBehaviour: await store.loadBehaviour(repo, { limit: MAX_BY_BEHAVIOUR }),
    path,
  };
}
