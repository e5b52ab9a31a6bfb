import { findNearest } from '../types/did-you-mean.ts';
import type { FoundRepo } from './contract.ts';
import type { Connection } from './database.ts';
import { foldName } from './repo-row.ts';

/** The repo that has this name today, else the one that had it last. */
export function findRepo(connection: Connection, name: string): FoundRepo | null {
  const folded = foldName(name.trim());
  const current = connection
    .sql('SELECT hub_id AS hubId, repo FROM t_repos WHERE repo_folded = ? AND superseded = 0')
    .get(folded) as { hubId: string; repo: string } | undefined;
  if (current !== undefined) return { ...current, renamed: false };
  const former = connection
    .sql(`SELECT r.hub_id AS hubId, r.repo FROM t_names n JOIN t_repos r ON r.hub_id = n.hub_id
      WHERE n.repo_folded = ? AND r.superseded = 0 ORDER BY n.last_run DESC, r.hub_id DESC LIMIT 1`)
    .get(folded) as { hubId: string; repo: string } | undefined;
  return former === undefined ? null : { ...former, renamed: true };
}

/** The range of strings beginning with prefix, for an index: [prefix, after). */
function prefixRange(prefix: string): [string, string] {
  return [prefix, `${prefix}\u{10ffff}`];
}

/**
 * Names near to what was typed, best first: the same short name under other owners, names that begin alike, then the nearest by edit
 * distance among those. Each look is an index range with a limit, so a million repos cost as much as a thousand.
 */
export function suggestRepos(connection: Connection, typed: string, limit: number): string[] {
  const folded = foldName(typed.trim()).slice(0, 200);
  if (folded === '' || limit < 1) return [];
  const short = folded.slice(folded.indexOf('/') + 1);
  const looked = new Map<string, number>();
  const byName = connection.sql(`SELECT repo, downloads FROM t_repos
    WHERE superseded = 0 AND name_folded >= ? AND name_folded < ? ORDER BY name_folded LIMIT 200`);
  const byRepo = connection.sql(`SELECT repo, downloads FROM t_repos
    WHERE superseded = 0 AND repo_folded >= ? AND repo_folded < ? ORDER BY repo_folded LIMIT 200`);
  const collect = (rows: unknown[]) => {
    for (const row of rows as { repo: string; downloads: number }[]) looked.set(row.repo, row.downloads);
  };
  collect(byRepo.all(...prefixRange(folded)));
  if (short !== '') collect(byName.all(...prefixRange(short)));
  const begins = [...looked.keys()].filter(
    (repo) =>
      foldName(repo).startsWith(folded) ||
      foldName(repo)
        .slice(repo.indexOf('/') + 1)
        .startsWith(short),
  );
  // What begins as typed comes first; the rest only matters when something was mistyped.
  begins.sort((a, b) => looked.get(b)! - looked.get(a)! || (a < b ? -1 : 1));
  if (begins.length >= limit) return begins.slice(0, limit);
  if (folded.includes('/')) {
    collect(byRepo.all(...prefixRange(folded.slice(0, folded.indexOf('/') + 1))));
    collect(byRepo.all(...prefixRange(folded.slice(0, 3))));
  }
  for (const length of [8, 5, 3])
    if (short.length > length) collect(byName.all(...prefixRange(short.slice(0, length))));
  const rest = new Set([...looked.keys()].filter((repo) => !begins.includes(repo)));
  const near: string[] = [];
  while (begins.length + near.length < limit) {
    const next = findNearest(folded, rest);
    if (next === null) break;
    near.push(next);
    rest.delete(next);
  }
  return [...begins, ...near];
}
