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

interface Candidate {
  repo: string;
  downloads: number;
}

/** Looks along the indexes for names that could be meant: each look is a range with a limit, so a million repos cost as much as a thousand. */
function collectCandidates(connection: Connection, folded: string, short: string): Candidate[] {
  const found = new Map<string, Candidate>();
  const look = (column: 'repo_folded' | 'name_folded', prefix: string) => {
    if (prefix === '') return;
    const rows = connection
      .sql(`SELECT repo, downloads FROM t_repos
        WHERE superseded = 0 AND ${column} >= ? AND ${column} < ? ORDER BY ${column} LIMIT 200`)
      .all(...prefixRange(prefix)) as Candidate[];
    for (const row of rows) found.set(row.repo, row);
  };
  look('repo_folded', folded);
  look('name_folded', short);
  if (folded.includes('/')) look('repo_folded', folded.slice(0, folded.indexOf('/') + 1));
  look('repo_folded', folded.slice(0, 3));
  for (const length of [8, 5, 3]) look('name_folded', short.slice(0, length));
  return [...found.values()].sort((a, b) => b.downloads - a.downloads || (a.repo < b.repo ? -1 : 1));
}

/**
 * Names near to what was typed, best first: those that begin alike by downloads, then the nearest by edit distance, then the same short
 * name under other owners.
 */
export function suggestRepos(connection: Connection, typed: string, limit: number): string[] {
  const folded = foldName(typed.trim()).slice(0, 200);
  if (folded === '') return [];
  const slash = folded.indexOf('/');
  const short = folded.slice(slash + 1);
  const repos = collectCandidates(connection, folded, short).map((candidate) => candidate.repo);
  const shortOf = (repo: string) => foldName(repo).slice(repo.indexOf('/') + 1);
  const suggested = new Set(
    repos.filter(
      (repo) => foldName(repo).startsWith(folded) || (slash < 0 && shortOf(repo).startsWith(folded)),
    ),
  );
  const rest = new Set(repos.filter((repo) => !suggested.has(repo)));
  while (suggested.size < limit) {
    const nearest = findNearest(folded, rest);
    if (nearest === null) break;
    suggested.add(nearest);
    rest.delete(nearest);
  }
  if (short !== '') for (const repo of rest) if (shortOf(repo).startsWith(short)) suggested.add(repo);
  return [...suggested].slice(0, Math.max(0, limit));
}
