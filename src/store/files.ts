import type { HubFile } from '../types/hub.ts';
import type { Store } from './contract.ts';
import type { Connection } from './database.ts';
import { isWeightFile, toWeightsKey } from './weights-key.ts';

type FileMethods = Pick<Store, 'saveFiles' | 'getFiles' | 'findReposBySha256'>;

/** sha256 as 32 bytes: half the index of its hex. */
export function toHash(hex: string | null): Buffer | null {
  return hex === null ? null : Buffer.from(hex, 'hex');
}

export function fromHash(hash: Buffer | null): string | null {
  return hash === null ? null : hash.toString('hex');
}

/** The fingerprint of the revision before stands for this one when its weight files are the same. To be called inside a write. */
function carryOver(
  connection: Connection,
  hubId: string,
  sha: string | null,
  weightsKey: string | null,
): number | null {
  const updated = connection
    .sql(`UPDATE t_repos SET
        fingerprint_version = CASE WHEN fingerprint_version = 0 THEN carried_version ELSE fingerprint_version END,
        status = CASE WHEN fingerprint_version = 0 THEN carried_status ELSE status END
      WHERE hub_id = ? AND sha IS ? AND last_weights_key = ? AND carried_version IS NOT NULL AND fingerprint_id IS NOT NULL
        AND carried_status IN ('fingerprinted', 'adapter')
      RETURNING fingerprint_version`)
    .pluck()
    .get(hubId, sha, weightsKey) as number | undefined;
  return updated ?? null;
}

export function createFiles(connection: Connection): FileMethods {
  return {
    async saveFiles(hubId, sha, files) {
      const weightsKey = toWeightsKey(files.filter((file) => isWeightFile(file.path)));
      return connection.write(() => {
        connection.sql('DELETE FROM t_files WHERE hub_id = ?').run(hubId);
        const insert = connection.sql(
          'INSERT OR REPLACE INTO t_files (hub_id, path, size, oid, sha256) VALUES (?, ?, ?, ?, ?)',
        );
        for (const file of files) insert.run(hubId, file.path, file.size, file.oid, toHash(file.sha256));
        connection
          .sql('UPDATE t_repos SET weights_key = ? WHERE hub_id = ? AND sha IS ?')
          .run(weightsKey, hubId, sha);
        return { weightsKey, carriedVersion: carryOver(connection, hubId, sha, weightsKey) };
      });
    },
    async getFiles(hubId) {
      const rows = connection
        .sql('SELECT path, size, oid, sha256 FROM t_files WHERE hub_id = ? ORDER BY path')
        .all(hubId) as (Omit<HubFile, 'sha256'> & { sha256: Buffer | null })[];
      return rows.map((row) => ({ ...row, sha256: fromHash(row.sha256) }));
    },
    async findReposBySha256(sha256s) {
      const wanted = [...new Set(sha256s.map((hex) => hex.toLowerCase()))];
      if (wanted.length === 0) return [];
      // Hashes go in as one JSON value: no limit on their number, one statement for all.
      return connection
        .sql(`SELECT r.hub_id AS hubId, r.repo, r.created_at AS createdAt
          FROM json_each(?) w JOIN t_files f ON f.sha256 = unhex(w.value) JOIN t_repos r ON r.hub_id = f.hub_id
          WHERE r.superseded = 0
          GROUP BY r.hub_id HAVING count(DISTINCT f.sha256) = ?
          ORDER BY r.created_at, r.hub_id`)
        .all(JSON.stringify(wanted), wanted.length) as { hubId: string; repo: string; createdAt: string }[];
    },
  };
}
