import type { SampleLoader, TensorSample } from '../types/fingerprint.ts';
import type { Edge, Evidence, LineageModel } from '../types/lineage.ts';
import { criticalZ, LEAST_RELATED, squaredDistance, testCosine, zOfCosine } from './cosine-test.ts';
import { inferHublineage } from './hublineage.ts';
import { powerOf } from './numeric/power-of.ts';
import type { LineageOptions } from './options.ts';

export interface Relative {
  repo: string;
  cosine: number;
  /** relative distance over the core */
  distance: number;
}

export interface Placement {
  edges: Edge[];
  evidence: Evidence[];
  /** nearest models of the same layout, nearest first */
  nearest: Relative[];
  /** root of the family it falls into; itself when it has none */
  root: string;
}

/** Whole families are rebuilt around the new model up to this many members, so that placing equals rebuilding; beyond, its surroundings. */
const WHOLE_FAMILY = 1500;
const SURROUNDINGS = 400;
const LISTED = 20;

/**
 * Places one model into an index without changing it: its relatives by core, then inference over its family with the model in it.
 * Adapters and models of another depth are compared with everything of their shape.
 */
export async function placeModel(
  model: LineageModel,
  tensors: readonly TensorSample[],
  index: readonly LineageModel[],
  load: SampleLoader,
  options: LineageOptions,
): Promise<Placement> {
  const others = index.filter((m) => m.repo !== model.repo);
  const mine = model.fingerprint;
  const threshold = criticalZ(others.length + 1);
  const relatives: Relative[] = [];
  for (const other of others) {
    if (other.fingerprint.coreKey !== mine.coreKey || mine.core.length === 0) continue;
    // asked of every model of the index: the test alone first
    if (zOfCosine(mine.core, other.fingerprint.core) <= threshold) continue;
    const { cosine } = testCosine(mine.core, other.fingerprint.core);
    if (cosine < LEAST_RELATED) continue;
    const power = powerOf(other.fingerprint.core);
    relatives.push({
      repo: other.repo,
      cosine,
      distance: Math.sqrt(squaredDistance(mine.core, other.fingerprint.core) / (power || 1)),
    });
  }
  relatives.sort((a, b) => a.distance - b.distance || (a.repo < b.repo ? -1 : 1));
  const near = new Set(
    (relatives.length <= WHOLE_FAMILY ? relatives : relatives.slice(0, SURROUNDINGS)).map((r) => r.repo),
  );
  const sameShape = (m: LineageModel) =>
    m.fingerprint.scheme === mine.scheme &&
    m.fingerprint.family === mine.family &&
    m.fingerprint.widths.hidden === mine.widths.hidden;
  // Without relatives of its own layout it may be a stack, a disguise or an adapter: then everything of its shape is a candidate.
  const chosen = others.filter(
    (m) =>
      near.has(m.repo) ||
      (sameShape(m) &&
        m.fingerprint.kind === 'full' &&
        (near.size === 0 || m.fingerprint.coreKey !== mine.coreKey)),
  );
  const result = await inferHublineage(
    [...chosen.slice(0, 2 * WHOLE_FAMILY), model],
    async (repos) => {
      const loaded = new Map(await load(repos.filter((r) => r !== model.repo)));
      if (repos.includes(model.repo)) loaded.set(model.repo, [...tensors]);
      return loaded;
    },
    options,
  );
  return {
    edges: result.edges.filter((e) => e.child === model.repo),
    evidence: result.evidence.filter((e) => e.child === model.repo),
    nearest: relatives.slice(0, LISTED),
    root: result.families.find((f) => f.repo === model.repo)?.root ?? model.repo,
  };
}
