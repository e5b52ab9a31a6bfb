import { VERDICT_WORDS } from '../../report/index.ts';
import type { VerdictKind } from '../../types/verdict.ts';
import { type Html, html } from '../html.ts';
import { modelPath } from '../links.ts';

/** Verdict as symbol and word; colour only repeats what they say. */
export function badge(verdict: VerdictKind): Html {
  const { symbol, word, tone, meaning } = VERDICT_WORDS[verdict];
  return html`<span class="badge ${tone}" title="${meaning}"><span aria-hidden="true">${symbol}</span> ${word}</span>`;
}

export const chip = (text: string): Html => html`<span class="chip">${text.replaceAll('_', ' ')}</span>`;

/** A repo's name with its owner set back. */
export function nameText(label: string): Html {
  const slash = label.indexOf('/');
  return slash > 0 && !label.includes(' ')
    ? html`<span class="owner">${label.slice(0, slash + 1)}</span>${label.slice(slash + 1)}`
    : html`${label}`;
}

/** A link to a model's page. */
export const modelLink = (repo: string, label = repo): Html =>
  html`<a class="repo" href="${modelPath(repo)}">${nameText(label)}</a>`;
