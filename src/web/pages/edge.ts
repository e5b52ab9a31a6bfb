import type { Store, ViewRows } from '../../store/index.ts';
import type { Evidence } from '../../types/lineage.ts';
import type { PageHandler } from '../contract.ts';
import { measured, percent, plural, signed } from '../format.ts';
import { html } from '../html.ts';
import { edgePath, splitEdge } from '../links.ts';
import { chip, modelLink } from '../parts/badges.ts';
import { type Sum, sumSvg } from '../parts/sum-svg.ts';
import { table } from '../parts/table.ts';
import { labelOf } from '../read/cards.ts';
import { notFoundPage } from './error.ts';

/** Evidence of one child about all its candidates; a baseline method may leave thousands of rows. */
const MAX_EVIDENCE = 5_000;
const MAX_CANDIDATES = 100;

interface Candidate {
  parent: string;
  edge: ViewRows['edges'] | null;
  /** sum of the log-odds of its findings; null when there are none */
  logOdds: number | null;
  findings: number;
}

/** Why a model has this parent: the sentence, the arithmetic, the table, and the candidates that lost. */
export const edgePage: PageHandler = async ({ store, snapshot, subject, isStatic }) => {
  const asked = splitEdge(subject);
  if (asked === null) return notFoundPage(subject, [], isStatic);
  const child = (await store.findRepo(asked.child))?.repo ?? asked.child;
  const parent = (await store.findRepo(asked.parent))?.repo ?? asked.parent;
  const candidates = await readCandidates(store, child);
  const candidate = candidates.find((row) => row.parent === parent);
  if (candidate === undefined) return notFoundPage(subject, await store.suggestRepos(child, 5), isStatic);
  const evidence = await store.loadEvidence(child, parent);
  const [behaviour] = await store.loadBehaviour(child, { other: parent });
  const findings = [...evidence].sort((a, b) => Math.abs(b.logOdds) - Math.abs(a.logOdds));
  const sum = addUp(findings);
  const { edge } = candidate;
  const sentence = describe(child, labelOf(parent, snapshot.virtualLabels), candidate, findings);
  const bearing = findings.filter((row) => Math.abs(row.logOdds) >= 0.005);
  const agrees = edge !== null && Math.abs(logistic(sum) - edge.probability) < 0.005;
  const body = html`<header class="page-head"><p class="meta">Evidence</p><h1>${modelLink(child)} <span class="soft">from</span> ${modelLink(parent, labelOf(parent, snapshot.virtualLabels))}</h1>
<p class="lead">${sentence}</p></header>
<section aria-labelledby="sum"><h2 id="sum">The arithmetic</h2>
${
  findings.length === 0
    ? html`<p>No findings were kept about this pair.</p>`
    : html`<p>Each finding is worth some log-odds (natural logarithm): above zero speaks for this parent, below against. They add up to <b>${signed(sum)}</b>, which is a probability of 1 / (1 + e<sup>${signed(-sum)}</sup>) = <b>${percent(logistic(sum))}</b>${
        edge === null
          ? '; it was not chosen, and stands here as a candidate that lost.'
          : agrees
            ? ': the probability of the edge.'
            : html`. The edge itself is given ${percent(edge.probability)}: the method that built it (${edge.method}) does not make its probability from these findings alone.`
      }</p>
<div class="treebox" tabindex="0" role="region" aria-label="Findings adding up">${sumSvg(toSums(bearing), sum)}</div>
${table(
  'Every finding about this pair, the weightiest first',
  [
    { title: 'Probe', cell: (row) => html`<code>${row.probe}</code>` },
    { title: 'Finding', kind: 'wide', cell: (row) => row.detail },
    {
      title: 'Outcome',
      kind: 'keep',
      cell: (row) => html`<span class="${row.outcome}">${row.outcome.replaceAll('_', ' ')}</span>`,
    },
    { title: 'Value', numeric: true, cell: (row) => measured(row.value) },
    { title: 'Log-odds', numeric: true, cell: (row) => signed(row.logOdds) },
  ],
  findings,
)}`
}</section>
${behaviour === undefined ? '' : html`<section aria-labelledby="behaviour"><h2 id="behaviour">Behaviour, apart from the arithmetic</h2><p>${behaviour.detail} How models answer follows what they were taught as well as what they were made from: it counts in no edge and no verdict.</p></section>`}
<section aria-labelledby="others"><h2 id="others">Candidates</h2>${table(
    `${plural(candidates.length, 'candidate')} of which findings were kept, chosen ones first`,
    [
      {
        title: 'Candidate',
        cell: (row: Candidate) => modelLink(row.parent, labelOf(row.parent, snapshot.virtualLabels)),
      },
      {
        title: 'Place',
        kind: 'keep',
        cell: (row: Candidate) =>
          row.edge === null ? 'lost' : row.edge.rank === 1 ? 'chosen' : `${row.edge.rank}, not ruled out`,
      },
      {
        title: 'Relation',
        kind: 'keep',
        cell: (row: Candidate) => (row.edge === null ? '' : chip(row.edge.relation)),
      },
      {
        title: 'Probability',
        numeric: true,
        cell: (row: Candidate) => percent(row.edge?.probability ?? null),
      },
      {
        title: 'Log-odds',
        numeric: true,
        cell: (row: Candidate) => (row.logOdds === null ? '–' : signed(row.logOdds)),
      },
      {
        title: 'Findings',
        numeric: true,
        cell: (row: Candidate) =>
          row.parent === parent
            ? 'shown above'
            : html`<a href="${edgePath(child, row.parent)}" aria-label="Findings about ${row.parent}">${row.findings}</a>`,
      },
    ],
    candidates,
  )}<p class="meta">What the author of a model declares is never evidence here: it is what the result is held against.</p></section>`;
  return {
    title: `${child} from ${labelOf(parent, snapshot.virtualLabels)}`,
    data: {
      child,
      parent,
      edge,
      sentence,
      evidence: findings,
      logOdds: sum,
      probabilityOfSum: logistic(sum),
      behaviour: behaviour ?? null,
      candidates,
    },
    body,
  };
};

/** Every candidate an edge or a finding speaks of, best first. */
async function readCandidates(store: Store, child: string): Promise<Candidate[]> {
  const edges = await store.readView('edges', {
    where: 'child = ?',
    params: [child],
    order: 'rank, parent',
    limit: MAX_CANDIDATES,
  });
  const evidence = await store.readView('edge_evidence', {
    // behaviour is no finding: it neither adds to a sum nor to their number
    where: "child = ? AND probe <> 'behaviour'",
    params: [child],
    limit: MAX_EVIDENCE,
  });
  const byParent = Map.groupBy(evidence, (row) => row.parent);
  const names = new Set([...edges.map((edge) => edge.parent), ...byParent.keys()]);
  return [...names]
    .map((parent) => {
      const rows = byParent.get(parent) ?? [];
      return {
        parent,
        edge: edges.find((edge) => edge.parent === parent) ?? null,
        logOdds: rows.length === 0 ? null : rows.reduce((sum, row) => sum + row.log_odds, 0),
        findings: rows.length,
      };
    })
    .sort(
      (a, b) =>
        (a.edge?.rank ?? 1e9) - (b.edge?.rank ?? 1e9) ||
        (b.edge?.weight ?? 0) - (a.edge?.weight ?? 0) ||
        (b.logOdds ?? -1e9) - (a.logOdds ?? -1e9) ||
        (a.parent < b.parent ? -1 : 1),
    )
    .slice(0, MAX_CANDIDATES);
}

const addUp = (rows: readonly Evidence[]) => rows.reduce((sum, row) => sum + row.logOdds, 0);

const logistic = (x: number) => 1 / (1 + Math.exp(-x));

function toSums(rows: readonly Evidence[]): Sum[] {
  return rows.map((row) => ({ name: row.probe, logOdds: row.logOdds }));
}

const RELATION_WORDS: Record<string, string> = {
  finetune: 'a fine-tune of',
  adapter: 'an adapter for',
  merge: 'a merge with a share of',
  quantized: 'quantised from',
  duplicate: 'a copy (same values) of',
  cast: 'a cast (same values, another number format) of',
  upscaled: 'made by repeating layers of',
  pruned: 'made by dropping layers of',
  transformed: 'the same function, units permuted, as',
};

/** The whole case in two sentences. */
function describe(child: string, parent: string, { edge }: Candidate, findings: readonly Evidence[]): string {
  const claim =
    edge === null
      ? `${parent} was looked at as a parent of ${child} and lost.`
      : edge.rank === 1
        ? `The weights say that ${child} is ${RELATION_WORDS[edge.relation] ?? 'made from'} ${parent}, with probability ${percent(edge.probability)}${edge.weight === null ? '' : ` and a share of ${percent(edge.weight)}`}.`
        : `${parent} is not ruled out as the parent of ${child}: probability ${percent(edge.probability)}, place ${edge.rank}.`;
  const strongest = findings.find((row) => row.outcome === 'supports' && row.logOdds > 0);
  const against = findings.find((row) => row.outcome === 'contradicts' && row.logOdds < -0.5);
  return [
    claim,
    strongest === undefined ? '' : `For it: ${strongest.detail}`,
    against === undefined ? '' : `Against it: ${against.detail}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}
