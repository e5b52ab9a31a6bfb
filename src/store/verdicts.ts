import type { Verdict } from '../types/verdict.ts';
import { writeBulk } from './bulk.ts';
import type { Store } from './contract.ts';
import { countVerdicts } from './counts.ts';
import type { Connection } from './database.ts';
import { recordVerdictHistory } from './history.ts';
import { createNodeLookup } from './nodes.ts';

type VerdictMethods = Pick<Store, 'replaceVerdicts' | 'loadVerdicts'>;

interface VerdictRow extends Omit<Verdict, 'declared' | 'inferred'> {
  declared: string;
  inferred: string;
}

export function createVerdicts(connection: Connection): VerdictMethods {
  return {
    async replaceVerdicts(verdicts, runId) {
      writeBulk(connection, ['t_verdicts'], verdicts.length, () => {
        connection.sql('DELETE FROM t_verdicts').run();
        const node = createNodeLookup(connection);
        const insert = connection.sql(`INSERT OR REPLACE INTO t_verdicts
          (node_id, repo, verdict, declared, relation_declared, inferred, relation_inferred, probability, reason)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
        const ordered = verdicts.map((row) => ({ id: node(row.repo), row })).sort((a, b) => a.id - b.id);
        for (const { id, row } of ordered) {
          insert.run(
            id,
            row.repo,
            row.verdict,
            JSON.stringify(row.declared),
            row.relationDeclared,
            JSON.stringify(row.inferred),
            row.relationInferred,
            row.probability,
            row.reason,
          );
        }
        recordVerdictHistory(connection, runId);
        countVerdicts(connection);
      });
    },
    async loadVerdicts() {
      const rows = connection
        .sql(`SELECT repo, verdict, declared, relation_declared AS relationDeclared, inferred,
            relation_inferred AS relationInferred, probability, reason
          FROM t_verdicts ORDER BY repo`)
        .all() as VerdictRow[];
      return rows.map((row) => ({
        ...row,
        declared: JSON.parse(row.declared) as string[],
        inferred: JSON.parse(row.inferred) as string[],
      }));
    },
  };
}
