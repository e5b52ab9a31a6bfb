import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { decodeSamples } from '../fingerprint/index.ts';
import { inferLineage, LINEAGE_VERSION } from '../lineage/index.ts';
import type { StoredModel } from '../store/index.ts';
import type { SampleLoader, TensorSample } from '../types/fingerprint.ts';
import { ROUND_TRIP } from '../weights/index.ts';
import { readAnalyserVersion } from './analyser-version.ts';
import { type BlockWorkers, createBlockWorkers } from './block-workers.ts';
import type { RunContext } from './context.ts';
import { loadDetectors } from './detector/load-detectors.ts';
import { createInferenceMemory } from './inference-memory.ts';
import { createPositionsOf } from './positions-of.ts';
import { yieldToSignals } from './stopping.ts';

const STATE_KEY = 'inferred-from';
/** Threads take some tenths of a second to start: smaller indexes are inferred in less. */
const THREADS_FROM = 1000;

/** Samples of stored models, decoded on demand. */
export function createSampleLoader(context: Pick<RunContext, 'store' | 'signal'>): SampleLoader {
  return async (repos) => {
    // inference computes for long between two loads: this is where a signal can reach it
    await yieldToSignals(context.signal);
    const blobs = await context.store.loadBlobs(repos);
    const samples = new Map<string, TensorSample[]>();
    for (const [repo, blob] of blobs) samples.set(repo, decodeSamples(blob));
    return samples;
  };
}

/**
 * Rebuilds edges and families from the stored fingerprints, unless nothing they follow from has changed. Families that nothing touched
 * are not inferred again: the result is that of a full rebuild, which `all` makes.
 * @returns false when there was nothing to do
 */
export async function infer(context: RunContext, options: { all: boolean }): Promise<boolean> {
  const { store, config } = context;
  const version = await readAnalyserVersion(context);
  const models: StoredModel[] = [];
  for await (const model of store.loadSummaries(version)) models.push(model);

  const labels = await readLabels(context);
  const state = describeInputs(models, labels, config.lineage);
  if (!options.all && (await store.getCursor<string>(STATE_KEY)) === state) {
    context.counts.edges = await store.countView('edges', { where: 'rank = 1' });
    return false;
  }
  const memory = createInferenceMemory(store, String(version), { fresh: options.all });
  const workers = createWorkers(context, models.length);
  const result = await inferLineage(models, createSampleLoader(context), {
    method: config.lineage.method,
    seed: config.lineage.seed,
    minProbability: config.lineage.minProbability,
    roundTrip: ROUND_TRIP,
    positions: createPositionsOf(config.sampling),
    labels,
    memory,
    ...(workers ? { runner: workers } : {}),
    ...(await loadDetectors(config.lineage.method)),
  }).finally(() => workers?.close());
  // who was left out, or what a method is no judge of, is for everybody to see
  for (const note of result.notes) context.emit({ type: 'remark', message: note, level: 'info' });
  await store.replaceDerived(result, context.runId);
  await memory.prune();
  await store.saveCursor(STATE_KEY, state);
  context.counts.edges = result.edges.filter((edge) => edge.rank === 1).length;
  return true;
}

/** Null where one thread is enough. */
function createWorkers({ store, config, signal }: RunContext, models: number): BlockWorkers | null {
  if (config.lineage.method !== 'hublineage' || models < THREADS_FROM || availableParallelism() < 2)
    return null;
  const { method, seed, minProbability } = config.lineage;
  return createBlockWorkers(
    async (repos) => {
      await yieldToSignals(signal);
      return store.loadBlobs(repos);
    },
    { method, seed, minProbability },
  );
}

/** What each model declares, by name: only ever used to name a parent that is not there, and marked as declared. */
async function readLabels(context: RunContext): Promise<Map<string, string[]>> {
  const labels = new Map<string, string[]>();
  for (const [repo, claims] of await context.store.loadClaims()) {
    const names = claims
      .filter((claim) => !claim.hint)
      .flatMap((claim) => claim.resolvedRepo ?? claim.normalized ?? []);
    if (names.length > 0) labels.set(repo, [...new Set(names)]);
  }
  return labels;
}

function describeInputs(
  models: readonly StoredModel[],
  labels: ReadonlyMap<string, readonly string[]>,
  lineage: RunContext['config']['lineage'],
): string {
  const hash = createHash('sha256').update(JSON.stringify([LINEAGE_VERSION, lineage]));
  for (const model of models)
    hash.update(
      JSON.stringify([model.repo, model.weightsKey, model.createdAt, labels.get(model.repo) ?? []]),
    );
  return hash.digest('hex');
}
