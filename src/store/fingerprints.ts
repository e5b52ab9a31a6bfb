import { endianness } from 'node:os';
import type { FingerprintSummary } from '../types/fingerprint.ts';
import type { Store, StoredModel } from './contract.ts';
import type { Connection } from './database.ts';

type FingerprintMethods = Pick<
  Store,
  | 'saveFingerprint'
  | 'linkFingerprint'
  | 'hasFingerprint'
  | 'loadSummaries'
  | 'loadSummary'
  | 'loadBlobs'
  | 'pruneFingerprints'
>;

const PAGE_ROWS = 200;

interface SummaryRow {
  repo: string;
  hubId: string;
  owner: string;
  sha: string | null;
  created_at: string;
  weights_key: string;
  summary: string;
  core: Buffer;
}

/** float32 values, little-endian whatever the machine: an index may be copied to another one. */
export function toCoreBytes(core: Float32Array): Buffer {
  const bytes = Buffer.from(core.buffer.slice(core.byteOffset, core.byteOffset + core.byteLength));
  return endianness() === 'LE' ? bytes : bytes.swap32();
}

export function fromCoreBytes(bytes: Buffer): Float32Array {
  const copy = Buffer.from(bytes);
  if (endianness() === 'BE') copy.swap32();
  return new Float32Array(new Uint8Array(copy).buffer);
}

function fromSummaryRow(row: SummaryRow): StoredModel {
  const summary = JSON.parse(row.summary) as Omit<FingerprintSummary, 'core'>;
  return {
    repo: row.repo,
    hubId: row.hubId,
    owner: row.owner,
    sha: row.sha,
    createdAt: Date.parse(row.created_at),
    weightsKey: row.weights_key,
    fingerprint: { ...summary, core: fromCoreBytes(row.core) },
  };
}

const SUMMARY = `SELECT r.repo, r.hub_id AS hubId, r.owner, r.sha, r.created_at, p.weights_key, p.summary, p.core
  FROM t_repos r JOIN t_fingerprints p ON p.fingerprint_id = r.fingerprint_id
  WHERE r.gone = 0 AND r.superseded = 0`;

/** Points the repo at a stored fingerprint and takes over what the weights say about it. To be called inside a write. */
function attach(
  connection: Connection,
  row: { hubId: string; sha: string | null; version: number; status?: string | undefined },
  fingerprintId: number,
): void {
  const { changes } = connection
    .sql(`UPDATE t_repos SET (fingerprint_id, family, architecture, params, dtype, format) =
          (SELECT fingerprint_id, family, architecture, params, dtype, format FROM t_fingerprints WHERE fingerprint_id = :id),
        status = COALESCE(:status, (SELECT CASE kind WHEN 'adapter' THEN 'adapter' ELSE 'fingerprinted' END
          FROM t_fingerprints WHERE fingerprint_id = :id)),
        status_detail = NULL, fingerprint_version = :version
      WHERE hub_id = :hubId AND sha IS :sha`)
    .run({
      id: fingerprintId,
      status: row.status ?? null,
      version: row.version,
      hubId: row.hubId,
      sha: row.sha,
    });
  if (changes > 0)
    connection.sql("DELETE FROM t_failures WHERE hub_id = ? AND stage = 'fingerprint'").run(row.hubId);
}

export function createFingerprints(connection: Connection): FingerprintMethods {
  const findId = (weightsKey: string, version: number) =>
    connection
      .sql('SELECT fingerprint_id FROM t_fingerprints WHERE weights_key = ? AND version = ?')
      .pluck()
      .get(weightsKey, version) as number | undefined;
  return {
    async saveFingerprint(row) {
      const { core, ...summary } = row.summary;
      connection.write(() => {
        const id = connection
          .sql(`INSERT INTO t_fingerprints
              (weights_key, version, kind, family, architecture, params, dtype, format, summary, core, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (weights_key, version) DO UPDATE SET kind = excluded.kind, family = excluded.family,
              architecture = excluded.architecture, params = excluded.params, dtype = excluded.dtype, format = excluded.format,
              summary = excluded.summary, core = excluded.core
            RETURNING fingerprint_id`)
          .pluck()
          .get(
            row.weightsKey,
            row.version,
            summary.kind,
            summary.family,
            summary.architecture,
            summary.params,
            summary.dtype,
            summary.format,
            JSON.stringify(summary),
            toCoreBytes(core),
            connection.now().toISOString(),
          ) as number;
        connection
          .sql('INSERT OR REPLACE INTO t_samples (fingerprint_id, blob) VALUES (?, ?)')
          .run(id, Buffer.from(row.blob.buffer, row.blob.byteOffset, row.blob.byteLength));
        attach(connection, row, id);
      });
    },
    async linkFingerprint(row) {
      return connection.write(() => {
        const id = findId(row.weightsKey, row.version);
        if (id === undefined) return false;
        attach(connection, row, id);
        return true;
      });
    },
    async hasFingerprint(weightsKey, version) {
      return findId(weightsKey, version) !== undefined;
    },
    async *loadSummaries(version) {
      const statement = connection.sql(
        `${SUMMARY} AND r.repo > ? AND (? IS NULL OR p.version = ?) ORDER BY r.repo LIMIT ${PAGE_ROWS}`,
      );
      let after = '';
      for (;;) {
        const rows = statement.all(after, version ?? null, version ?? null) as SummaryRow[];
        for (const row of rows) yield fromSummaryRow(row);
        if (rows.length < PAGE_ROWS) return;
        after = rows.at(-1)!.repo;
      }
    },
    async loadSummary(repo) {
      const row = connection.sql(`${SUMMARY} AND r.repo = ?`).get(repo) as SummaryRow | undefined;
      return row === undefined ? null : fromSummaryRow(row);
    },
    async loadBlobs(repos) {
      const blobs = new Map<string, Uint8Array>();
      const statement = connection
        .sql(`SELECT s.blob FROM t_repos r JOIN t_samples s ON s.fingerprint_id = r.fingerprint_id
          WHERE r.repo = ? AND r.superseded = 0`)
        .pluck();
      for (const repo of repos) {
        const blob = statement.get(repo) as Buffer | undefined;
        if (blob !== undefined) blobs.set(repo, blob);
      }
      return blobs;
    },
    async pruneFingerprints() {
      return connection.write(
        () =>
          connection
            .sql(`DELETE FROM t_fingerprints WHERE NOT EXISTS
              (SELECT 1 FROM t_repos r WHERE r.fingerprint_id = t_fingerprints.fingerprint_id)`)
            .run().changes,
      );
    },
  };
}
