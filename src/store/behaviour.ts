import { HublineageError } from '../types/errors.ts';
import type { ViewRows } from '../types/view-rows.ts';
import type { Store } from './contract.ts';
import type { Connection } from './database.ts';
import { createNodeLookup } from './nodes.ts';

type BehaviourMethods = Pick<Store, 'saveBehaviour' | 'loadBehaviour'>;

/** A similarity from fewer prompts is rough; such pairs come after the others. PhyloLM takes 128. */
const ENOUGH_PROMPTS = 32;

/** One pair as a sentence, for the views; `b` is t_behaviour, `u` t_behaviour_runs. */
export const BEHAVIOUR_DETAIL = `printf('Behaviour, not lineage: similarity %.3f (Nei; 1 is alike) of the first characters of %,d and %,d completions, shared prompts: %,d%s. From %s, %s.',
  b.similarity, b.completions, b.other_completions, b.shared_prompts,
  CASE WHEN b.shared_prompts < ${ENOUGH_PROMPTS} THEN ', which is few' ELSE '' END, u.source, substr(u.compared_at, 1, 10))`;

/** What is known of models by how they answer; apart from the derived rows, which an inference replaces. */
export function createBehaviour(connection: Connection): BehaviourMethods {
  return {
    async saveBehaviour({ pairs, ...run }) {
      return connection.write(() => {
        const node = createRepoLookup(connection);
        const models = new Set(pairs.flatMap(({ first, second }) => [first, second]));
        const insertRun = connection.sql(`INSERT INTO t_behaviour_runs
          (compared_at, source, models, prompts, prompts_hash, completions) VALUES (?, ?, ?, ?, ?, ?)`);
        const at = connection.now().toISOString();
        const { lastInsertRowid } = insertRun.run(
          at,
          run.source,
          models.size,
          run.prompts,
          run.promptsHash,
          run.completions,
        );
        const insert = connection.sql(`INSERT OR REPLACE INTO t_behaviour
          (node_id, other, behaviour_run, similarity, distance, shared_prompts, completions, other_completions)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
        for (const pair of pairs) {
          const [a, b] = [node(pair.first), node(pair.second)];
          if (a === b)
            throw new HublineageError('UsageInvalid', `${pair.first} cannot be compared with itself.`);
          const { similarity, distance, sharedPrompts, firstCompletions: own, secondCompletions: its } = pair;
          insert.run(a, b, lastInsertRowid, similarity, distance, sharedPrompts, own, its);
          insert.run(b, a, lastInsertRowid, similarity, distance, sharedPrompts, its, own);
        }
        connection
          .sql(`DELETE FROM t_behaviour_runs WHERE NOT EXISTS
            (SELECT 1 FROM t_behaviour b WHERE b.behaviour_run = t_behaviour_runs.behaviour_run)`)
          .run();
      });
    },
    async loadBehaviour(repo, { other, limit = 1000 } = {}) {
      return connection
        .sql(`SELECT * FROM behaviour WHERE repo = :repo AND (:other IS NULL OR other = :other)
          ORDER BY shared_prompts < ${ENOUGH_PROMPTS}, similarity DESC, other LIMIT :limit`)
        .all({ repo, other: other ?? null, limit }) as ViewRows['behaviour'][];
    },
  };
}

/** Node ids of repos of the index; a name nobody carries today is refused, where inference would make a node for it. */
function createRepoLookup(connection: Connection): (repo: string) => number {
  const node = createNodeLookup(connection);
  const known = connection.sql('SELECT 1 FROM t_repos WHERE repo = ? AND superseded = 0').pluck();
  return (repo) => {
    if (known.get(repo) === undefined)
      throw new HublineageError('ModelUnknown', `No model called ${repo} is in the index.`);
    return node(repo);
  };
}
