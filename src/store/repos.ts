import type { HubRepo } from '../types/hub.ts';
import type { ModelStatus } from '../types/verdict.ts';
import type { Store, StoredRepo, UpsertCounts, UpsertOptions } from './contract.ts';
import { writeCursor } from './cursors.ts';
import type { Connection } from './database.ts';
import { moveNode } from './nodes.ts';
import { countRepos, iterateRepos } from './repo-pages.ts';
import {
  foldName,
  fromRepoRow,
  REPO_COLUMNS,
  type RepoRow,
  toFacts,
  toLicense,
  toOwner,
} from './repo-row.ts';
import { findRepo, suggestRepos } from './repo-search.ts';

type RepoMethods = Pick<
  Store,
  | 'upsertRepos'
  | 'findRepo'
  | 'suggestRepos'
  | 'getRepo'
  | 'iterateRepos'
  | 'countRepos'
  | 'saveFormerName'
  | 'setGone'
  | 'listUnseen'
  | 'setStatus'
>;

interface KnownRepo {
  repo: string;
  sha: string | null;
  last_modified: string | null;
  gated: string;
  status: ModelStatus;
  superseded: number;
  last_run: number;
}

/** A name that another repo holds now is taken from the one that held it, which may turn up under a new name later. */
function supersedeHolder(connection: Connection, hub: HubRepo, folded: string): void {
  const holder = connection
    .sql('SELECT hub_id FROM t_repos WHERE repo_folded = ? AND superseded = 0 AND hub_id <> ?')
    .pluck()
    .get(folded, hub.hubId) as string | undefined;
  if (holder === undefined) return;
  connection.sql('UPDATE t_repos SET superseded = 1 WHERE hub_id = ?').run(holder);
  // Both come again with its new name, which makes its claims due.
  connection.sql('DELETE FROM t_claims WHERE hub_id = ?').run(holder);
  connection.sql('UPDATE t_repos SET claims_version = 0 WHERE hub_id = ?').run(holder);
  moveNode(connection, holder, null);
}

/** To be called inside a write. */
function saveName(connection: Connection, hubId: string, name: string, runId: number): void {
  connection
    .sql(`INSERT INTO t_names (repo_folded, hub_id, repo, last_run) VALUES (?, ?, ?, ?)
      ON CONFLICT (repo_folded, hub_id) DO UPDATE SET repo = excluded.repo, last_run = excluded.last_run`)
    .run(foldName(name), hubId, name, runId);
}

/** A revision that moved makes all work on the repo due again; what was known stays until the new revision has been looked at. */
function resetWork(connection: Connection, hubId: string): void {
  connection
    .sql(`UPDATE t_repos SET
        carried_version = CASE WHEN fingerprint_version > 0 THEN fingerprint_version ELSE carried_version END,
        carried_status = CASE WHEN fingerprint_version > 0 THEN status ELSE carried_status END,
        last_weights_key = COALESCE(weights_key, last_weights_key),
        weights_key = NULL, fingerprint_version = 0, claims_version = 0, status = 'pending', status_detail = NULL, gone = 0
      WHERE hub_id = ?`)
    .run(hubId);
  connection.sql('DELETE FROM t_failures WHERE hub_id = ?').run(hubId);
}

/** Whether the Hub shows another revision than before. Where it names no commit, the date of the last change has to tell. */
function hasMoved(known: KnownRepo, hub: HubRepo): boolean {
  return known.sha !== null && hub.sha !== null
    ? known.sha !== hub.sha
    : known.last_modified !== hub.lastModified;
}

function upsertRepo(
  connection: Connection,
  listed: HubRepo,
  runId: number,
  options: UpsertOptions,
  counts: UpsertCounts,
): void {
  const known = connection
    .sql('SELECT repo, sha, last_modified, gated, status, superseded, last_run FROM t_repos WHERE hub_id = ?')
    .get(listed.hubId) as KnownRepo | undefined;
  const moved = known !== undefined && hasMoved(known, listed);
  // a listing that leaves the commit out does not take back what another one said
  const hub = known === undefined || moved || listed.sha !== null ? listed : { ...listed, sha: known.sha };
  const folded = foldName(hub.repo);
  const gated = hub.gated === false ? 'no' : hub.gated;
  const renamed = known !== undefined && (known.repo !== hub.repo || known.superseded === 1);
  if (known === undefined || renamed) supersedeHolder(connection, hub, folded);
  if (known !== undefined && (moved || known.gated !== gated || known.status === 'gone'))
    resetWork(connection, hub.hubId);
  connection
    .sql(`INSERT INTO t_repos (hub_id, repo, repo_folded, name_folded, owner, family, sha, created_at, last_modified, downloads, likes,
        license, gated, in_scope, first_run, last_run)
      VALUES (:hubId, :repo, :folded, :name, :owner, :family, :sha, :createdAt, :lastModified, :downloads, :likes,
        :license, :gated, :inScope, :run, :run)
      ON CONFLICT (hub_id) DO UPDATE SET repo = excluded.repo, repo_folded = excluded.repo_folded, name_folded = excluded.name_folded,
        owner = excluded.owner, sha = excluded.sha, created_at = excluded.created_at, last_modified = excluded.last_modified,
        downloads = excluded.downloads, likes = excluded.likes, license = excluded.license, gated = excluded.gated,
        family = CASE WHEN fingerprint_id IS NOT NULL THEN family ELSE COALESCE(excluded.family, family) END,
        in_scope = max(in_scope, excluded.in_scope), superseded = 0, last_run = excluded.last_run`)
    .run({
      hubId: hub.hubId,
      repo: hub.repo,
      folded,
      name: folded.slice(folded.indexOf('/') + 1),
      owner: toOwner(hub.repo),
      family: options.family ?? null,
      sha: hub.sha,
      createdAt: hub.createdAt,
      lastModified: hub.lastModified,
      downloads: hub.downloads,
      likes: hub.likes,
      license: toLicense(hub),
      gated,
      inScope: options.inScope === false ? 0 : 1,
      run: runId,
    });
  const facts = toFacts(hub);
  connection
    .sql(`INSERT INTO t_repo_facts (hub_id, facts) VALUES (?, ?)
      ON CONFLICT (hub_id) DO UPDATE SET facts = excluded.facts WHERE facts <> excluded.facts`)
    .run(hub.hubId, facts);
  if (known === undefined || renamed) {
    saveName(connection, hub.hubId, hub.repo, runId);
    moveNode(connection, hub.hubId, hub.repo);
    connection.sql('UPDATE t_claims SET repo = ? WHERE hub_id = ?').run(hub.repo, hub.hubId);
  }
  counts.seen++;
  if (known === undefined || known.last_run < runId) counts.first++;
  if (known === undefined) counts.new++;
  else if (moved) counts.changed++;
  if (renamed) counts.renamed++;
}

export function createRepos(connection: Connection): RepoMethods {
  const getRepo = async (nameOrHubId: string): Promise<StoredRepo | null> => {
    const byId = connection.sql(
      `SELECT ${REPO_COLUMNS} FROM t_repos r JOIN t_repo_facts f ON f.hub_id = r.hub_id WHERE r.hub_id = ?`,
    );
    let row = byId.get(nameOrHubId) as RepoRow | undefined;
    if (row === undefined) {
      const found = findRepo(connection, nameOrHubId);
      if (found !== null) row = byId.get(found.hubId) as RepoRow | undefined;
    }
    return row === undefined ? null : fromRepoRow(row);
  };
  return {
    getRepo,
    async upsertRepos(rows, runId, options = {}) {
      const counts: UpsertCounts = { seen: 0, first: 0, new: 0, changed: 0, renamed: 0 };
      return connection.write(() => {
        for (const hub of rows) upsertRepo(connection, hub, runId, options, counts);
        if (options.cursor !== undefined) writeCursor(connection, options.cursor.key, options.cursor.value);
        return counts;
      });
    },
    async findRepo(name) {
      return findRepo(connection, name);
    },
    async suggestRepos(name, limit = 5) {
      return suggestRepos(connection, name, limit);
    },
    iterateRepos: (filter = {}) => iterateRepos(connection, filter),
    async countRepos(filter = {}) {
      return countRepos(connection, filter);
    },
    async saveFormerName(hubId, name, runId) {
      connection.write(() => saveName(connection, hubId, name, runId));
    },
    async setGone(hubIds, runId) {
      return connection.write(() => {
        let changed = 0;
        for (const hubId of hubIds) {
          changed += connection
            .sql(`UPDATE t_repos SET gone = 1, status = 'gone', status_detail = 'the Hub no longer has it', last_run = max(last_run, ?)
              WHERE hub_id = ? AND gone = 0`)
            .run(runId, hubId).changes;
          connection.sql('DELETE FROM t_failures WHERE hub_id = ?').run(hubId);
        }
        return changed;
      });
    },
    async listUnseen(runId, families) {
      const rows = connection
        .sql(`SELECT hub_id AS hubId, repo, family FROM t_repos
          WHERE last_run < ? AND gone = 0 AND superseded = 0 AND in_scope = 1 ORDER BY hub_id`)
        .all(runId) as { hubId: string; repo: string; family: StoredRepo['family'] }[];
      return rows
        .filter((row) => families === undefined || (row.family !== null && families.includes(row.family)))
        .map(({ hubId, repo }) => ({ hubId, repo, renamed: false }));
    },
    async setStatus(hubId, sha, version, status, detail = null) {
      // A fingerprint of an older revision says nothing about a revision that was looked at and gave none.
      const keeps: ModelStatus[] = ['fingerprinted', 'adapter', 'pending'];
      connection.write(() => {
        connection
          .sql(`UPDATE t_repos SET status = :status, status_detail = :detail,
              fingerprint_version = CASE WHEN :status = 'pending' THEN 0 ELSE :version END,
              fingerprint_id = CASE WHEN :keeps THEN fingerprint_id ELSE NULL END
            WHERE hub_id = :hubId AND sha IS :sha`)
          .run({ hubId, sha, version, status, detail, keeps: keeps.includes(status) ? 1 : 0 });
      });
    },
  };
}
