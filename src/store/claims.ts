import type { ResolvedClaim } from '../types/claims.ts';
import type { Store } from './contract.ts';
import type { Connection } from './database.ts';
import { fromHash, toHash } from './files.ts';
import { foldName } from './repo-row.ts';

type ClaimMethods = Pick<Store, 'replaceClaims' | 'resolveClaims' | 'getClaims' | 'loadClaims'>;

interface ClaimRow {
  source: ResolvedClaim['source'];
  raw: string;
  normalized: string | null;
  relation: ResolvedClaim['relation'];
  sha256: Buffer | null;
  hint: number;
  resolvedRepo: string | null;
}

const COLUMNS =
  'c.source, c.raw, c.normalized, c.relation, c.sha256, c.hint, c.resolved_repo AS resolvedRepo';

function fromClaimRow(row: ClaimRow): ResolvedClaim {
  const { source, raw, normalized, relation, resolvedRepo } = row;
  return {
    source,
    raw,
    normalized,
    relation,
    sha256: fromHash(row.sha256),
    hint: row.hint === 1,
    resolvedRepo,
  };
}

/** Today's name of what a claim names: by current name, else the last holder of a former one, else the oldest repo with the file. */
const RESOLUTION = `COALESCE(
  (SELECT r.repo FROM t_repos r WHERE r.repo_folded = c.normalized_folded AND r.superseded = 0),
  (SELECT r.repo FROM t_names n JOIN t_repos r ON r.hub_id = n.hub_id
    WHERE n.repo_folded = c.normalized_folded AND r.superseded = 0 ORDER BY n.last_run DESC, r.hub_id DESC LIMIT 1),
  (SELECT r.repo FROM t_files f JOIN t_repos r ON r.hub_id = f.hub_id
    WHERE f.sha256 = c.sha256 AND r.superseded = 0 AND r.hub_id <> c.hub_id ORDER BY r.created_at, r.hub_id LIMIT 1))`;

export function createClaims(connection: Connection): ClaimMethods {
  return {
    async replaceClaims(hubId, sha, claims, version) {
      connection.write(() => {
        connection.sql('DELETE FROM t_claims WHERE hub_id = ?').run(hubId);
        const insert = connection.sql(`INSERT INTO t_claims
          (hub_id, position, repo, source, declared, raw, normalized, normalized_folded, relation, sha256, hint, resolved_repo)
          SELECT hub_id, ?, repo, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM t_repos WHERE hub_id = ?`);
        for (const [position, claim] of claims.entries()) {
          const folded = claim.normalized === null ? null : foldName(claim.normalized);
          insert.run(
            position,
            claim.source,
            claim.normalized ?? claim.raw,
            claim.raw,
            claim.normalized,
            folded,
            claim.relation,
            toHash(claim.sha256),
            claim.hint ? 1 : 0,
            claim.resolvedRepo,
            hubId,
          );
        }
        if (version !== undefined) {
          connection
            .sql('UPDATE t_repos SET claims_version = ? WHERE hub_id = ? AND sha IS ?')
            .run(version, hubId, sha);
        }
      });
    },
    async resolveClaims() {
      return connection.write(
        () =>
          connection
            .sql(
              `UPDATE t_claims AS c SET resolved_repo = ${RESOLUTION} WHERE c.resolved_repo IS NOT ${RESOLUTION}`,
            )
            .run().changes,
      );
    },
    async getClaims(hubId) {
      const rows = connection
        .sql(`SELECT ${COLUMNS} FROM t_claims c WHERE c.hub_id = ? ORDER BY c.position`)
        .all(hubId) as ClaimRow[];
      return rows.map(fromClaimRow);
    },
    async loadClaims() {
      const claims = new Map<string, ResolvedClaim[]>();
      const rows = connection
        .sql(`SELECT r.repo, ${COLUMNS} FROM t_claims c JOIN t_repos r ON r.hub_id = c.hub_id
          WHERE r.superseded = 0 ORDER BY c.hub_id, c.position`)
        .iterate() as IterableIterator<ClaimRow & { repo: string }>;
      for (const row of rows) {
        const list = claims.get(row.repo);
        if (list === undefined) claims.set(row.repo, [fromClaimRow(row)]);
        else list.push(fromClaimRow(row));
      }
      return claims;
    },
  };
}
