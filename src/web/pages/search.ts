import type { PageHandler } from '../contract.ts';
import { compact, plural } from '../format.ts';
import { html } from '../html.ts';
import { searchForm } from '../layout.ts';
import { withQuery } from '../links.ts';
import { badge, modelLink } from '../parts/badges.ts';
import { table } from '../parts/table.ts';
import { readCards } from '../read/cards.ts';

const MAX_RESULTS = 50;

/** Models by name: what begins alike first, then what is spelled alike. The JSON twin is what suggestions are made of. */
export const searchPage: PageHandler = async ({ store, snapshot, params }) => {
  const query = params.text('q', 200) ?? '';
  const limit = params.count('limit', 1, MAX_RESULTS) ?? MAX_RESULTS;
  const exact = query === '' ? null : await store.findRepo(query);
  const names = query === '' ? [] : await store.suggestRepos(query, limit);
  const repos = [...new Set([...(exact === null ? [] : [exact.repo]), ...names])].slice(0, limit);
  const results = [...(await readCards(store, snapshot.virtualLabels, repos)).values()];
  const data = { query, results, renamed: exact?.renamed === true ? exact.repo : null };
  return {
    title: query === '' ? 'Search' : `Search: ${query}`,
    data,
    body: html`<h1>${query === '' ? 'Search' : html`Models like “${query}”`}</h1>${searchForm(query, 'search-again', true)}
${data.renamed === null ? '' : html`<p class="notice">${query} is a former name of ${modelLink(data.renamed)}.</p>`}
${
  query === ''
    ? html`<p>Type the beginning of a name, with or without its owner.</p>`
    : results.length === 0
      ? html`<p>No name begins with this or is spelled like it. Parts in the middle of a name are not searched; the <a href="${withQuery('/flagged', { owner: query })}">flagged models of an owner</a> and SQL may help.</p>`
      : table(
          `${plural(results.length, 'model')}${results.length === limit ? ' at most' : ''}`,
          [
            { title: 'Model', cell: (row) => modelLink(row.repo) },
            {
              title: 'Verdict',
              kind: 'keep',
              cell: (row) => (row.verdict === null ? '' : badge(row.verdict)),
            },
            { title: 'Family', kind: 'keep', cell: (row) => row.family ?? '' },
            {
              title: 'Downloads',
              numeric: true,
              cell: (row) => (row.downloads === null ? '' : compact(row.downloads)),
            },
          ],
          results,
        )
}`,
  };
};
