import type { ReportFinding } from '../../report/index.ts';
import { isWeightFile } from '../../store/index.ts';
import { isRead } from '../../types/verdict.ts';
import type { Page, PageHandler, PageRequest } from '../contract.ts';
import { bytes, compact, grouped, moment, percent, plural, signed } from '../format.ts';
import { type Html, html, joinHtml, lines } from '../html.ts';
import { edgePath, familyPath, hubPath, safeUrl, withQuery } from '../links.ts';
import { badge, chip, modelLink, nameText } from '../parts/badges.ts';
import { declaredSide, inferredSide } from '../parts/sides.ts';
import { factList, table } from '../parts/table.ts';
import { treeSection } from '../parts/tree-section.ts';
import { isVirtual, labelOf } from '../read/cards.ts';
import { type ModelFacts, readModelFacts } from '../read/model.ts';
import { readModelOutline } from '../read/outline.ts';
import { notFoundPage } from './error.ts';
import { virtualPage } from './virtual.ts';

const MAX_TAGS = 40;
const MAX_STRONGEST = 5;
const MAX_FILES_SHOWN = 40;

/** One model: verdict first, then its place in the tree, the evidence, its history, facts, and how to dispute. */
export const modelPage: PageHandler = async (request) => {
  const { store, snapshot, subject } = request;
  const found = await store.findRepo(subject);
  if (found === null) {
    if (isVirtual(subject, snapshot.virtualLabels)) return virtualPage(request);
    return notFoundPage(subject, await store.suggestRepos(subject, 8), request.isStatic);
  }
  const [model] = await store.readView('models', { where: 'repo = ?', params: [found.repo] });
  if (model === undefined)
    return notFoundPage(subject, await store.suggestRepos(subject, 8), request.isStatic);
  const facts = await readModelFacts(request, model);
  const tree = await readModelOutline({ store, labels: snapshot.virtualLabels }, model.repo);
  const data = {
    ...model,
    renamedFrom: found.renamed ? subject : null,
    statusDetail: facts.repo?.statusDetail ?? null,
    verdict: facts.finding,
    history: facts.history,
    path: facts.path,
    tree,
    claims: facts.claims,
    files: facts.files,
    failures: facts.failures,
    nearestByBehaviour: facts.nearestByBehaviour,
  };
  const body = html`${head(request, facts, found.renamed)}
${verdictSection(request, facts)}
${treeSection(tree, model.repo, snapshot)}
${facts.finding === null ? '' : caseSection(facts.finding)}
${behaviourSection(facts)}
${historySection(facts)}
${factsSection(facts)}
${filesSection(facts)}
${claimsSection(facts)}
${disputeSection(request, facts)}`;
  return { title: model.repo, data, body } satisfies Page;
};

function head({ options, subject }: PageRequest, { model, repo }: ModelFacts, renamed: boolean): Html {
  const hub = hubPath(options.hubUrl, model.repo);
  const facts = [
    model.family ?? '',
    model.params === null ? '' : `${compact(model.params)} parameters`,
    model.dtype ?? '',
    model.format ?? '',
    plural(model.downloads, 'download'),
    model.license ?? 'no licence stated',
  ].filter((fact) => fact !== '');
  return html`<header class="page-head"><h1>${nameText(model.repo)}</h1>
<p class="meta">${facts.join(' · ')}${hub === null ? '' : html` · <a href="${hub}" rel="noopener noreferrer">on the Hub<span aria-hidden="true"> ↗</span></a>`}</p>
${renamed ? html`<p class="notice">${subject} is a former name of this model.</p>` : ''}
${
  isRead(model.status)
    ? ''
    : html`<p class="notice">Status: ${model.status.replaceAll('_', ' ')}.${repo?.statusDetail ? ` ${repo.statusDetail}` : ''}</p>`
}</header>`;
}

function verdictSection({ snapshot }: PageRequest, { finding, model }: ModelFacts): Html {
  if (finding === null)
    return html`<section aria-labelledby="verdict"><h2 id="verdict">Verdict</h2><p>None yet: this model has not been audited.</p></section>`;
  const { correction } = finding;
  const link = correction?.link ? safeUrl(correction.link) : null;
  return html`<section class="card" aria-labelledby="verdict"><div class="card-head"><h2 id="verdict">${badge(finding.verdict)}</h2>
${finding.probability === null ? '' : html`<span class="meta">probability ${percent(finding.probability)}</span>`}</div>
<p class="reason">${finding.reason}</p>
${
  correction === null
    ? ''
    : html`<p class="notice">Marked by hand as <b>${correction.verdict}</b> by ${correction.by} on ${correction.date}: ${correction.reason}${link === null ? '' : html` <a href="${link}" rel="noopener noreferrer">source</a>`}</p>`
}
<div class="sides">${declaredSide(finding)}${inferredSide(finding)}</div>
<p class="actions">${joinHtml(
    [
      ...finding.parents
        .slice(0, 4)
        .map(
          (edge) =>
            html`<a href="${edgePath(model.repo, edge.parent)}">Evidence for ${labelOf(edge.parent, snapshot.virtualLabels)}</a>`,
        ),
      ...(model.family_root === null
        ? []
        : [html`<a href="${familyPath(model.family_root)}">Its family</a>`]),
      ...(model.owner === ''
        ? []
        : [
            html`<a href="${withQuery('/flagged', { owner: model.owner, verdict: finding.verdict })}">Others by ${model.owner} with this verdict</a>`,
          ]),
    ],
    ' · ',
  )}</p></section>`;
}

function caseSection(finding: ReportFinding): Html {
  const { openQuestions, licences, cardPatch } = finding;
  const strongest = finding.evidence
    .filter((row) => finding.inferred.includes(row.parent) && Math.abs(row.logOdds) >= 0.5)
    .sort((a, b) => Math.abs(b.logOdds) - Math.abs(a.logOdds))
    .slice(0, MAX_STRONGEST);
  return html`${
    strongest.length === 0
      ? ''
      : html`<section aria-labelledby="strongest"><h2 id="strongest">Strongest findings</h2>
<ul class="findings">${strongest.map((row) => html`<li><span class="num ${row.outcome}">${signed(row.logOdds)}</span> ${row.detail} <a class="meta" href="${edgePath(finding.repo, row.parent)}">${row.probe}${finding.inferred.length > 1 ? ` (${row.parent})` : ''}</a></li>`)}</ul>
<p class="meta">Log-odds: above zero speaks for the parent found. The evidence page of each parent has all of them, and their sum.</p></section>`
  }${
    openQuestions.length === 0
      ? ''
      : html`<section aria-labelledby="open"><h2 id="open">Unknown, and what would settle it</h2><ul>${openQuestions.map((text) => html`<li>${text}</li>`)}</ul></section>`
  }${
    licences.length < 2
      ? ''
      : html`<section aria-labelledby="licences"><h2 id="licences">Licences along the inferred path</h2><ol class="path">${licences.map((step) => html`<li>${modelLink(step.repo)} ${chip(step.licence ?? 'none stated')}</li>`)}</ol></section>`
  }${
    cardPatch === null
      ? ''
      : html`<section aria-labelledby="patch"><h2 id="patch">Suggested change to the card</h2><p>For a person to check and send; nothing is sent from here.</p><pre tabindex="0">${lines(cardPatch)}</pre></section>`
  }`;
}

/** Apart from the findings, under a title that cannot be taken for theirs. */
function behaviourSection({ nearestByBehaviour }: ModelFacts): Html | '' {
  if (nearestByBehaviour.length === 0) return '';
  return html`<section aria-labelledby="behaviour"><h2 id="behaviour">Nearest by behaviour</h2>
<p class="meta">How alike models complete the same prompts (PhyloLM). It says who answers like whom, not who was made from whom, and counts in no edge and no verdict.</p>${table(
    'Models compared by their answers, most alike first',
    [
      { title: 'Model', cell: (row) => modelLink(row.other) },
      { title: 'Similarity', numeric: true, cell: (row) => row.similarity.toFixed(3) },
      { title: 'Shared prompts', numeric: true, cell: (row) => grouped(row.shared_prompts) },
      { title: 'Completions', numeric: true, cell: (row) => grouped(row.completions) },
      { title: 'Of the other', numeric: true, cell: (row) => grouped(row.other_completions) },
      { title: 'Compared', kind: 'keep', cell: (row) => moment(row.compared_at) },
      { title: 'From', cell: (row) => row.source },
    ],
    nearestByBehaviour,
    { hideCaption: true },
  )}</section>`;
}

function historySection({ history }: ModelFacts): Html | '' {
  if (history.length === 0) return '';
  return html`<section aria-labelledby="history"><h2 id="history">History of the verdict</h2>${table(
    'Verdicts about this model, newest first',
    [
      { title: 'Since', kind: 'keep', cell: (row) => moment(row.at) },
      { title: 'Run', numeric: true, cell: (row) => html`<a href="/runs/${row.runId}">${row.runId}</a>` },
      { title: 'Verdict', kind: 'keep', cell: (row) => badge(row.to) },
      {
        title: 'Parents found',
        cell: (row) =>
          joinHtml(
            row.inferred.slice(0, 4).map((repo) => modelLink(repo)),
            ', ',
          ),
      },
      { title: 'Sentence', kind: 'wide', cell: (row) => row.reason },
    ],
    history,
    { hideCaption: true },
  )}</section>`;
}

function factsSection({ model, repo, path, failures }: ModelFacts): Html {
  const tags = repo?.hub.tags ?? [];
  return html`<section aria-labelledby="facts"><h2 id="facts">Facts</h2>${factList([
    ['Architecture', model.architecture],
    ['Parameters', model.params === null ? null : grouped(model.params)],
    ['Number format', model.dtype],
    ['File format', model.format],
    ['Licence', model.license],
    ['Gated', model.gated],
    ['Status', model.status.replaceAll('_', ' ')],
    ['Created', moment(model.created_at)],
    ['Last changed', model.last_modified === null ? null : moment(model.last_modified)],
    ['Commit', model.sha === null ? null : html`<code>${model.sha}</code>`],
    ['Hub id', html`<code>${model.hub_id}</code>`],
    ['Downloads in 30 days', grouped(model.downloads)],
    ['Likes', grouped(model.likes)],
    ['Generation', path.length === 0 ? null : `${path.length} below its root`],
    [
      'Tags',
      tags.length === 0
        ? null
        : html`${joinHtml(tags.slice(0, MAX_TAGS).map(chip), ' ')}${tags.length > MAX_TAGS ? ` and ${tags.length - MAX_TAGS} more` : ''}`,
    ],
  ])}${
    failures.length === 0
      ? ''
      : table(
          'What could not be done',
          [
            { title: 'Stage', cell: (row) => row.stage },
            { title: 'Error', cell: (row) => html`<code>${row.error_code}</code>` },
            { title: 'Attempts', numeric: true, cell: (row) => row.attempts },
            { title: 'Message', kind: 'wide', cell: (row) => row.last_error },
          ],
          failures,
        )
  }</section>`;
}

function filesSection({ files }: ModelFacts): Html | '' {
  const weights = files.filter((file) => isWeightFile(file.path));
  if (weights.length === 0) return '';
  return html`<section aria-labelledby="files"><h2 id="files">Weight files</h2>${table(
    `${plural(weights.length, 'weight file')} of this revision`,
    [
      { title: 'Path', cell: (file) => html`<code>${file.path}</code>` },
      { title: 'Size', numeric: true, cell: (file) => bytes(file.size) },
      {
        title: 'SHA-256',
        cell: (file) => (file.sha256 === null ? '–' : html`<code>${file.sha256}</code>`),
      },
    ],
    weights.slice(0, MAX_FILES_SHOWN),
    { hideCaption: true },
  )}${weights.length > MAX_FILES_SHOWN ? html`<p class="meta">And ${plural(weights.length - MAX_FILES_SHOWN, 'more file')}, in the JSON.</p>` : ''}</section>`;
}

function claimsSection({ claims }: ModelFacts): Html | '' {
  if (claims.length === 0) return '';
  return html`<section aria-labelledby="claims"><h2 id="claims">What was declared, as typed</h2>${table(
    'Every place a base is named in; hints are shown and used for nothing',
    [
      { title: 'Typed', cell: (claim) => html`<code>${claim.raw}</code>` },
      { title: 'Where', kind: 'keep', cell: (claim) => claim.source.replaceAll('_', ' ') },
      { title: 'Relation', kind: 'keep', cell: (claim) => claim.relation ?? '–' },
      {
        title: 'Names',
        cell: (claim) =>
          claim.resolvedRepo === null ? 'no repo in the index' : modelLink(claim.resolvedRepo),
      },
      { title: 'Kind', kind: 'keep', cell: (claim) => (claim.hint ? 'hint' : 'declaration') },
    ],
    claims.slice(0, 100),
  )}</section>`;
}

function disputeSection({ snapshot }: PageRequest, { model }: ModelFacts): Html {
  const { dispute, disputeUrl } = snapshot.method;
  const url = disputeUrl === null ? null : safeUrl(disputeUrl);
  return html`<section aria-labelledby="dispute"><h2 id="dispute">Is this wrong?</h2><p>${dispute}${url === null ? '' : html` <a href="${url}" rel="noopener noreferrer">Dispute this verdict</a>.`}</p><p class="meta">For the note: <code>${model.repo}</code>${model.sha === null ? '' : html` at <code>${model.sha}</code>`}.</p></section>`;
}
