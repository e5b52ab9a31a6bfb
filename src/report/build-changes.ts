import { byText } from './compare.ts';
import type { ReportChanges } from './document.ts';
import type { ReportRows } from './rows.ts';

type Link = { child: string; parent: string; relation: ReportChanges['newEdges'][number]['relation'] };

/** What changed since the run before, from a whole earlier snapshot or from the store's own history; null when neither is given. */
export function buildChanges(rows: ReportRows): ReportChanges | null {
  const { changes, previous } = rows;
  if (changes) {
    const edges = (change: 'added' | 'removed') =>
      sortLinks(changes.edges.filter((edge) => edge.change === change));
    return {
      sinceRun: String(changes.since_run),
      since: changes.since,
      newModels: [...changes.new_models].sort(byText),
      goneModels: [...changes.gone_models].sort(byText),
      newEdges: edges('added'),
      goneEdges: edges('removed'),
      flipped: changes.verdicts
        .flatMap(({ repo, from, to }) => (from === null || from === to ? [] : [{ repo, from, to }]))
        .sort((a, b) => byText(a.repo, b.repo)),
    };
  }
  if (!previous) return null;
  const before = new Map(previous.models.map((model) => [model.repo, model.status]));
  const present = rows.models.filter((model) => model.status !== 'gone').map((model) => model.repo);
  const now = new Set(present);
  const verdictsBefore = new Map(previous.verdicts.map((row) => [row.repo, row.verdict]));
  const key = (edge: Link) => `${edge.child}\n${edge.parent}\n${edge.relation}`;
  const chosenBefore = previous.edges.filter((edge) => edge.rank === 1);
  const chosenNow = rows.edges.filter((edge) => edge.rank === 1);
  const [keysBefore, keysNow] = [new Set(chosenBefore.map(key)), new Set(chosenNow.map(key))];
  return {
    sinceRun: String(previous.run_id),
    since: previous.finished_at,
    newModels: present.filter((repo) => !before.has(repo)).sort(byText),
    goneModels: [...before]
      .flatMap(([repo, status]) => (status !== 'gone' && !now.has(repo) ? [repo] : []))
      .sort(byText),
    newEdges: sortLinks(chosenNow.filter((edge) => !keysBefore.has(key(edge)))),
    goneEdges: sortLinks(chosenBefore.filter((edge) => !keysNow.has(key(edge)))),
    flipped: rows.verdicts
      .flatMap(({ repo, verdict }) => {
        const from = verdictsBefore.get(repo);
        return from === undefined || from === verdict ? [] : [{ repo, from, to: verdict }];
      })
      .sort((a, b) => byText(a.repo, b.repo)),
  };
}

const sortLinks = (links: readonly Link[]): Link[] =>
  links
    .map(({ child, parent, relation }) => ({ child, parent, relation }))
    .sort((a, b) => byText(a.child, b.child) || byText(a.parent, b.parent));
