import { type Placement, placeModel } from '../lineage/index.ts';
import type { Store } from '../store/index.ts';
import { HublineageError } from '../types/errors.ts';
import type { SampleLoader } from '../types/fingerprint.ts';
import type { LineageModel } from '../types/lineage.ts';
import { ROUND_TRIP } from '../weights/index.ts';
import { findAnalyserVersion } from './analyser-version.ts';
import { hashCopies } from './hash-copies.ts';
import { createSampleLoader } from './infer-stage.ts';
import { createPositionsOf } from './positions-of.ts';
import { openSubject, type Subject, type SubjectContext } from './subject.ts';

export interface Identification extends Placement {
  subject: Subject;
  /** models of the index it was held against */
  compared: number;
}

/** Places one model into the index without changing it. @throws as `openSubject`, and ConfigInvalid under another sampling scheme */
export async function identify(
  named: string,
  context: SubjectContext & { store: Store },
): Promise<Identification> {
  await requireScheme(context);
  return placeSubject(await openSubject(named, context), context);
}

/**
 * Where a model that is open already falls among those of the index.
 * @param besides models the index lacks, and names it is not to be held against
 */
export async function placeSubject(
  opened: Subject,
  context: SubjectContext & { store: Store },
  besides: { extra?: readonly Subject[]; without?: ReadonlySet<string> } = {},
): Promise<Identification> {
  const { extra = [], without = new Set() } = besides;
  const { store, config, signal } = context;
  const stored = await loadComparable(opened.model, store, await requireScheme(context));
  const index = [...stored, ...extra.map(({ model }) => model)].filter(({ repo }) => !without.has(repo));
  const subject = await hashCopies(opened, index);
  const load = withExtraSamples(createSampleLoader({ store, signal }), extra);
  const placement = await placeModel(subject.model, subject.tensors, index, load, {
    method: 'hublineage',
    seed: config.lineage.seed,
    minProbability: config.lineage.minProbability,
    roundTrip: ROUND_TRIP,
    positions: createPositionsOf(config.sampling),
  });
  return { ...placement, subject, compared: index.length };
}

/** Samples of models read just now beside those of the index. */
export function withExtraSamples(load: SampleLoader, extra: readonly Subject[]): SampleLoader {
  const samples = new Map(extra.map(({ model, tensors }) => [model.repo, [...tensors]]));
  return async (repos) => {
    const stored = await load(repos.filter((repo) => !samples.has(repo)));
    return new Map([...stored, ...[...samples].filter(([repo]) => repos.includes(repo))]);
  };
}

async function requireScheme({ store, config }: SubjectContext & { store: Store }): Promise<number> {
  const version = await findAnalyserVersion(store, config.sampling);
  if (version !== null) return version;
  throw new HublineageError('ConfigInvalid', 'The index was not read with the sampling configured now.', {
    where: `${store.path}, sampling.valuesPerTensor ${config.sampling.valuesPerTensor}, sampling.seed ${config.sampling.seed}`,
    hint: 'Give the configuration the index was made with (--config FILE), or run `hublineage refresh` to read it anew.',
  });
}

/** Models that could have a matrix in common with this one: of a hundred thousand cores, only those are worth the memory. */
async function loadComparable(model: LineageModel, store: Store, version: number): Promise<LineageModel[]> {
  const mine = model.fingerprint;
  const found: LineageModel[] = [];
  for await (const other of store.loadSummaries(version)) {
    const { family, coreKey, widths } = other.fingerprint;
    const comparable =
      family === mine.family && (coreKey === mine.coreKey || widths.hidden === mine.widths.hidden);
    if (comparable && other.repo !== model.repo) found.push(other);
  }
  return found;
}
