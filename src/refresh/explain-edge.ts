import { explainPair, relatedness } from '../lineage/index.ts';
import { buildModelReport, type ReportFinding } from '../report/index.ts';
import type { Store, StoredModel, ViewRows } from '../store/index.ts';
import type { Config } from '../types/config.ts';
import { HublineageError } from '../types/errors.ts';
import type { TensorSample } from '../types/fingerprint.ts';
import type { Edge, Evidence, Relatedness } from '../types/lineage.ts';
import { ROUND_TRIP } from '../weights/index.ts';
import { explainLoss } from './explain-loss.ts';
import { createSampleLoader } from './infer-stage.ts';
import { toReportOptions } from './report-stage.ts';

/** Relatives read to tell why they are not the parent: a few hundred kilobytes each. */
const MAX_CANDIDATES = 40;
const MAX_OF_A_KIND = 15;
const SHOWN_LOSERS = 10;
const SHOWN_BY_BEHAVIOUR = 5;

/** One candidate parent of a child: what the index concluded, and what every probe says of the pair. */
export interface PairStory {
  parent: string;
  /** the edge in the index; null when this is no candidate of its */
  edge: Edge | null;
  /** log-odds that add up to logit(probability) of the edge; empty without one */
  terms: Evidence[];
  /** every probe asked about this pair alone; empty when one side has no samples */
  probes: Evidence[];
  relatedness: Relatedness | null;
  /** how alike the two answer prompts, where they were compared: no term, whatever it says */
  behaviour: ViewRows['behaviour'] | null;
}

export interface LostCandidate extends Omit<PairStory, 'terms' | 'probes'> {
  /** what it is to the child: `tie`, `declared`, `grandparent`, `sibling`, `child`, `chosen` */
  kind: string;
  /** one plain sentence */
  why: string;
}

export interface Explanation {
  child: string;
  /** verdict, declarations, licences, open questions: as in the reports; null before the first audit */
  finding: ReportFinding | null;
  /** the parents asked about: the one named, or all chosen ones */
  stories: PairStory[];
  /** most plausible first */
  lost: LostCandidate[];
  /** who answers prompts most like it, with or without an edge between them: not lineage, and all there is of models without weights */
  nearestByBehaviour: ViewRows['behaviour'][];
}

interface Side {
  model: StoredModel;
  tensors: readonly TensorSample[];
}

/**
 * The whole story of an edge, from what the index holds: nothing is inferred anew and nothing is written.
 * @param child today's name of a repo of the index
 * @param parent the same (or a virtual parent's id), or null for the chosen parents
 * @throws HublineageError ModelUnknown
 */
export async function explainEdge(
  store: Store,
  config: Config,
  child: string,
  parent: string | null,
  signal: AbortSignal,
): Promise<Explanation> {
  const rows = await store.readView('edges', { where: 'child = ?', params: [child], order: 'rank, parent' });
  const edges: Edge[] = rows.map(({ parent_kind, ...row }) => ({ ...row, parentKind: parent_kind }));
  const chosen = edges.filter((edge) => edge.rank === 1).map((edge) => edge.parent);
  const asked = parent === null ? chosen : [parent];
  const finding = await readFinding(store, config, child);
  const kinds = await gatherCandidates(store, child, edges, finding, asked);
  const sides = await loadSides(store, [child, ...asked, ...kinds.keys()], signal);
  const evidence = await store.loadEvidence(child);
  const behaviour = await store.loadBehaviour(child);

  const tell = (other: string): PairStory => {
    const [a, b] = [sides.get(child), sides.get(other)];
    return {
      parent: other,
      edge: edges.find((edge) => edge.parent === other) ?? null,
      terms: evidence.filter((row) => row.parent === other),
      probes: a && b ? explainPair(a, b, { roundTrip: ROUND_TRIP }) : [],
      relatedness: a && b ? compareSides(a, b) : null,
      behaviour: behaviour.find((row) => row.other === other) ?? null,
    };
  };
  const stories = asked.map(tell);
  const lost = [...kinds]
    .map(([name, kind]) => ({ kind, story: tell(name) }))
    .map(({ kind, story: { terms, probes, ...story } }) => ({
      ...story,
      kind,
      why: explainLoss({ ...story, terms, probes, kind }, stories[0] ?? null),
    }))
    .sort(byPlausibility);
  return {
    child,
    finding,
    stories,
    lost: lost.slice(0, SHOWN_LOSERS),
    nearestByBehaviour: behaviour.slice(0, SHOWN_BY_BEHAVIOUR),
  };
}

function compareSides(a: Side, b: Side): Relatedness {
  return relatedness(
    { summary: a.model.fingerprint, tensors: a.tensors },
    { summary: b.model.fingerprint, tensors: b.tensors },
    { pairs: MAX_CANDIDATES },
  );
}

/** Ties first, by rank; then by distance, what could not be compared last. */
function byPlausibility(a: LostCandidate, b: LostCandidate): number {
  const rank = (one: LostCandidate) => one.edge?.rank ?? Number.MAX_SAFE_INTEGER;
  const distance = (one: LostCandidate) => one.relatedness?.relativeDistance ?? Number.MAX_VALUE;
  return rank(a) - rank(b) || distance(a) - distance(b) || (a.parent < b.parent ? -1 : 1);
}

/** Who else could have been the parent: ties, what the card declares, and the nearest relatives in the tree. */
async function gatherCandidates(
  store: Store,
  child: string,
  edges: readonly Edge[],
  finding: ReportFinding | null,
  asked: readonly string[],
): Promise<Map<string, string>> {
  const kinds = new Map<string, string>();
  const add = (kind: string, names: Iterable<string | null>) => {
    for (const name of names)
      if (
        name !== null &&
        name !== child &&
        !asked.includes(name) &&
        !kinds.has(name) &&
        kinds.size < MAX_CANDIDATES
      )
        kinds.set(name, kind);
  };
  const read = (where: string, params: readonly string[]) =>
    store.readView('edges', { where: `rank = 1 AND ${where}`, params, order: 'child', limit: MAX_OF_A_KIND });
  const chosen = edges.filter((edge) => edge.rank === 1).map((edge) => edge.parent);
  add('chosen', chosen);
  add(
    'tie',
    edges.filter((edge) => edge.rank > 1).map((edge) => edge.parent),
  );
  add(
    'declared',
    (finding?.declarations ?? []).map((row) => row.resolved),
  );
  for (const parent of chosen) {
    add(
      'grandparent',
      (await read('child = ?', [parent])).map((edge) => edge.parent),
    );
    add(
      'sibling',
      (await read('parent = ?', [parent])).map((edge) => edge.child),
    );
  }
  add(
    'child',
    (await read('parent = ?', [child])).map((edge) => edge.child),
  );
  return kinds;
}

async function loadSides(
  store: Store,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Side>> {
  const samples = await createSampleLoader({ store, signal })(names);
  const sides = new Map<string, Side>();
  for (const [name, tensors] of samples) {
    const model = await store.loadSummary(name);
    if (model !== null) sides.set(name, { model, tensors });
  }
  return sides;
}

/** The model's finding as reports show it, made from its own rows alone. */
async function readFinding(store: Store, config: Config, child: string): Promise<ReportFinding | null> {
  const [verdict] = await store.readView('verdicts', { where: 'repo = ?', params: [child] });
  if (verdict === undefined) return null;
  const edges = await store.readView('edges', { where: 'child = ?', params: [child], order: 'rank, parent' });
  const declaredBases = await store.readView('declared_bases', { where: 'repo = ?', params: [child] });
  const names = [
    child,
    ...edges.map((edge) => edge.parent),
    ...declaredBases.flatMap((row) => row.resolved_repo ?? []),
  ];
  const models = await Promise.all(
    [...new Set(names)].map((name) => store.readView('models', { where: 'repo = ?', params: [name] })),
  );
  if (!models.flat().some((model) => model.repo === child))
    throw new HublineageError('ModelUnknown', `${child} is not in the index.`);
  const rows = {
    models: models.flat(),
    declaredBases,
    edges,
    evidence: [],
    families: [],
    verdicts: [verdict],
    failures: [],
    runs: [],
  };
  return buildModelReport(rows, child, toReportOptions(config)).findings[0] ?? null;
}
