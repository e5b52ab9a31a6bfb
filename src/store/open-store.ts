import { createBehaviour } from './behaviour.ts';
import { createClaims } from './claims.ts';
import type { OpenOptions, Store } from './contract.ts';
import { createCursors } from './cursors.ts';
import { connect, createConnection } from './database.ts';
import { createDerived } from './derived.ts';
import { createFailures } from './failures.ts';
import { createFiles } from './files.ts';
import { createFingerprints } from './fingerprints.ts';
import { createHistory } from './history.ts';
import { createInferenceMemory } from './inference-memory.ts';
import { createMaintenance } from './maintenance.ts';
import { checkCurrent, listMigrations, migrate } from './migrate.ts';
import { createPending } from './pending.ts';
import { createRepos } from './repos.ts';
import { createRuns } from './runs.ts';
import { createVerdicts } from './verdicts.ts';
import { createViewReader, ensureViews } from './views.ts';

/**
 * Opens the index, creating or upgrading it unless `readonly`. Throws DatabaseInvalid when there is none to read, when it is not ours,
 * or when it was made by a newer hublineage.
 */
export async function openStore(path: string, options: OpenOptions = {}): Promise<Store> {
  const readonly = options.readonly ?? false;
  const now = options.now ?? (() => new Date());
  const db = connect(path, { readonly, busyTimeoutMs: options.busyTimeoutMs ?? 10_000 });
  try {
    const migrations = listMigrations();
    if (readonly) {
      checkCurrent(db, path, migrations);
    } else {
      migrate(db, path, migrations, now);
      ensureViews(db, now);
    }
  } catch (error) {
    db.close();
    throw error;
  }
  const connection = createConnection(db, path, readonly, now);
  return {
    path,
    readonly,
    ...createRepos(connection),
    ...createCursors(connection),
    ...createFiles(connection),
    ...createClaims(connection),
    ...createPending(connection),
    ...createFingerprints(connection),
    ...createInferenceMemory(connection),
    ...createFailures(connection),
    ...createDerived(connection),
    ...createVerdicts(connection),
    ...createHistory(connection),
    ...createBehaviour(connection),
    ...createRuns(connection),
    ...createViewReader(connection),
    ...createMaintenance(connection),
  };
}
