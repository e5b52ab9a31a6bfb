import { STATUS_OF_ERROR } from '../types/error-statuses.ts';
import { ERROR_CODES, type ErrorCode } from '../types/errors.ts';
import type { Store, StoredFailure } from './contract.ts';
import type { Connection } from './database.ts';

type FailureMethods = Pick<Store, 'recordFailure' | 'clearFailure' | 'listFailures'>;

/** Longest message kept, characters: an error may quote what a hostile file said. */
const MAX_MESSAGE = 1000;

interface FailureRow {
  version: number;
  attempts: number;
}

interface ListedFailure extends Omit<StoredFailure, 'exhausted' | 'first'> {
  exhausted: number;
  firstCode: ErrorCode;
  firstMessage: string;
  firstAt: string;
}

export function createFailures(connection: Connection): FailureMethods {
  return {
    async recordFailure({ hubId, stage, version, error, retryAfter = null }) {
      const rule = ERROR_CODES[error.code];
      const message = error.message.slice(0, MAX_MESSAGE);
      return connection.write(() => {
        const before = connection
          .sql('SELECT version, attempts FROM t_failures WHERE hub_id = ? AND stage = ?')
          .get(hubId, stage) as FailureRow | undefined;
        // A newer analyser starts with a fresh budget.
        if (before !== undefined && before.version < version)
          connection.sql('DELETE FROM t_failures WHERE hub_id = ? AND stage = ?').run(hubId, stage);
        const spent = before !== undefined && before.version >= version ? before.attempts : 0;
        const attempts = spent + (rule.free ? 0 : 1);
        const exhausted = !rule.free && attempts >= rule.attempts;
        connection
          .sql(`INSERT INTO t_failures (hub_id, stage, version, code, message, attempts, exhausted, retry_after, failed_at,
              first_code, first_message, first_at)
            VALUES (:hubId, :stage, :version, :code, :message, :attempts, :exhausted, :retryAfter, :at, :code, :message, :at)
            ON CONFLICT (hub_id, stage) DO UPDATE SET version = excluded.version, code = excluded.code, message = excluded.message,
              attempts = excluded.attempts, exhausted = excluded.exhausted, retry_after = excluded.retry_after,
              failed_at = excluded.failed_at`)
          .run({
            hubId,
            stage,
            version,
            code: error.code,
            message,
            attempts,
            exhausted: exhausted ? 1 : 0,
            retryAfter: exhausted ? null : retryAfter,
            at: connection.now().toISOString(),
          });
        // Out of the queue until the sha or the analyser moves.
        if (exhausted && stage === 'fingerprint') {
          connection
            .sql(`UPDATE t_repos SET status = ?, status_detail = ?, fingerprint_version = ?, fingerprint_id = NULL
              WHERE hub_id = ?`)
            .run(
              error.code === 'RepoGone' ? 'gone' : (STATUS_OF_ERROR[error.code] ?? 'failed'),
              message,
              version,
              hubId,
            );
        }
        if (exhausted && stage === 'claims')
          connection.sql('UPDATE t_repos SET claims_version = ? WHERE hub_id = ?').run(version, hubId);
        return { attempts, exhausted };
      });
    },
    async clearFailure(hubId, stage) {
      connection.write(() =>
        connection
          .sql('DELETE FROM t_failures WHERE hub_id = ? AND (? IS NULL OR stage = ?)')
          .run(hubId, stage ?? null, stage ?? null),
      );
    },
    async listFailures(stage) {
      const rows = connection
        .sql(`SELECT x.hub_id AS hubId, r.repo, x.stage, x.code, x.message, x.attempts, x.exhausted, x.retry_after AS retryAfter,
            x.failed_at AS at, x.first_code AS firstCode, x.first_message AS firstMessage, x.first_at AS firstAt
          FROM t_failures x JOIN t_repos r ON r.hub_id = x.hub_id
          WHERE (:stage IS NULL OR x.stage = :stage) ORDER BY x.stage, x.code, r.repo`)
        .all({ stage: stage ?? null }) as ListedFailure[];
      return rows.map(({ exhausted, firstCode, firstMessage, firstAt, ...row }) => ({
        ...row,
        exhausted: exhausted === 1,
        first: { code: firstCode, message: firstMessage, at: firstAt },
      }));
    },
  };
}
