import { VERDICT_ORDER, VERDICT_WORDS } from '../../report/index.ts';
import { RELATIONS } from '../../types/lineage.ts';
import { VERSION } from '../../types/version.ts';
import type { PageHandler } from '../contract.ts';
import { html } from '../html.ts';
import { safeUrl } from '../links.ts';
import { badge, chip } from '../parts/badges.ts';
import { table } from '../parts/table.ts';

const RELATION_MEANINGS: Record<(typeof RELATIONS)[number], string> = {
  finetune: 'trained further from the parent',
  adapter: 'low-rank factors to be added to the parent',
  merge: 'a weighted mean of several parents, each with its share',
  quantized: 'the parent’s values in a coarser, blockwise format',
  duplicate: 'the same values as the parent',
  cast: 'the same values in another number format',
  upscaled: 'layers of the parent repeated',
  pruned: 'layers of the parent dropped',
  transformed: 'the same function with its units in another order',
};

/** How verdicts come about, what the words mean, how to dispute. */
export const aboutPage: PageHandler = async ({ snapshot }) => {
  const { method } = snapshot;
  const url = method.disputeUrl === null ? null : safeUrl(method.disputeUrl);
  return {
    title: 'Method',
    place: 'about',
    data: {
      version: VERSION,
      method,
      verdicts: VERDICT_ORDER.map((verdict) => ({ verdict, ...VERDICT_WORDS[verdict] })),
      relations: RELATION_MEANINGS,
    },
    body: html`<h1>Method</h1><p class="lead">hublineage reads a few megabytes of each model and says which model it was made from, how, and whether that agrees with its card.</p>
<ul class="prose">${method.statements.map((text) => html`<li>${text}</li>`)}</ul>
<p>Method of these runs: <code>${method.name}</code>. Version ${VERSION}.</p>
<section aria-labelledby="words"><h2 id="words">Verdicts</h2>${table(
      'What each verdict says',
      [
        { title: 'Verdict', kind: 'keep', cell: (verdict) => badge(verdict) },
        { title: 'Meaning', cell: (verdict) => VERDICT_WORDS[verdict].meaning },
      ],
      VERDICT_ORDER,
      { hideCaption: true },
    )}</section>
<section aria-labelledby="relations"><h2 id="relations">Relations</h2>${table(
      'How a model can have been made from another',
      [
        { title: 'Relation', kind: 'keep', cell: (relation) => chip(relation) },
        { title: 'Meaning', cell: (relation) => RELATION_MEANINGS[relation] },
      ],
      RELATIONS,
      { hideCaption: true },
    )}</section>
<section aria-labelledby="dispute"><h2 id="dispute">Dispute a verdict</h2><p>${method.dispute}${url === null ? '' : html` <a href="${url}" rel="noopener noreferrer">Where to send it</a>.`}</p></section>
<section aria-labelledby="machines"><h2 id="machines">For programs</h2><p>Every page is also JSON: put <code>.json</code> after its path (<code>/index.json</code> for the first page). <a href="/health">/health</a> says whether the index can be read and how old it is; <a href="/metrics">/metrics</a> is for Prometheus.</p></section>`,
  };
};
