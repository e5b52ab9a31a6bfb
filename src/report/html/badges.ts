import type { VerdictKind } from '../../types/verdict.ts';
import type { ReportDocument } from '../document.ts';
import { toHtml, toRepoUrl } from '../escape.ts';
import { VERDICT_WORDS } from '../verdict-words.ts';

/** Verdict as symbol and word; colour only repeats what they say. */
export function badge(verdict: VerdictKind): string {
  const { symbol, word, tone, meaning } = VERDICT_WORDS[verdict];
  return `<span class="badge ${tone}" title="${toHtml(meaning)}"><span aria-hidden="true">${toHtml(symbol)}</span> ${toHtml(word)}</span>`;
}

/** A repo's name with its owner set back, linked to its page on the Hub where it has one. */
export function repoName(document: ReportDocument, repo: string, label = repo): string {
  const slash = label.indexOf('/');
  const text =
    slash > 0 && !label.includes(' ')
      ? `<span class="owner">${toHtml(label.slice(0, slash + 1))}</span>${toHtml(label.slice(slash + 1))}`
      : toHtml(label);
  const url = toRepoUrl(document.method.hubUrl, repo);
  return url === null
    ? `<span class="repo">${text}</span>`
    : `<a class="repo" href="${toHtml(url)}" rel="noopener noreferrer">${text}</a>`;
}

export const relationChip = (relation: string): string => `<span class="chip">${toHtml(relation)}</span>`;
