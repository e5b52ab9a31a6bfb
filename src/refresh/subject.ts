import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fingerprintModel, type MeteredFiles, meterFiles } from '../fingerprint/index.ts';
import type { HubClient } from '../hub/index.ts';
import type { Store } from '../store/index.ts';
import type { Config } from '../types/config.ts';
import { HublineageError } from '../types/errors.ts';
import type { TensorSample } from '../types/fingerprint.ts';
import type { HubRepo, RepoFiles } from '../types/hub.ts';
import type { LineageModel } from '../types/lineage.ts';
import type { ModelWeights } from '../types/weights.ts';
import { openModel } from '../weights/index.ts';
import { findAnalyserVersion } from './analyser-version.ts';
import type { EventSink } from './events.ts';
import { createSampleLoader } from './infer-stage.ts';
import { createLocalRepo } from './local-repo.ts';
import { createRunHub } from './run.ts';

/** One model as somebody named it: a repo of the index, a repo of the Hub, or a folder. */
export interface Subject {
  /** as it is called in answers: `owner/name`, or the folder as given */
  name: string;
  origin: 'index' | 'hub' | 'folder';
  model: LineageModel;
  tensors: readonly TensorSample[];
  /** what opening it told, when it was opened now */
  opened: { files: RepoFiles; weights: ModelWeights; repo: HubRepo | null } | null;
  /** range reads and bytes it took */
  read: { requests: number; bytes: number };
}

/** What looking up a subject works with. */
export interface SubjectContext {
  config: Config;
  /** null where there is no index */
  store: Store | null;
  /** opened on first use */
  hub: () => HubClient;
  signal: AbortSignal;
  now: () => Date;
}

/**
 * Runs work with a context whose Hub client is made when first asked for and closed at the end.
 */
export async function withSubjects<T>(
  options: { config: Config; store: Store | null; emit: EventSink; signal: AbortSignal; now?: () => Date },
  work: (context: SubjectContext) => Promise<T>,
): Promise<T> {
  const now = options.now ?? (() => new Date());
  let hub: HubClient | null = null;
  try {
    return await work({
      config: options.config,
      store: options.store,
      hub: () => {
        hub ??= createRunHub(options.config, { emit: options.emit, signal: options.signal, now });
        return hub;
      },
      signal: options.signal,
      now,
    });
  } finally {
    await (hub as HubClient | null)?.close();
  }
}

/**
 * Opens what was named: a folder where there is one, else the index's stored samples, else a few megabytes from the Hub.
 * @throws HublineageError NoWeights, RepoGone, HubUnreachable, ... and whatever a broken file is called
 */
export async function openSubject(named: string, context: SubjectContext): Promise<Subject> {
  if (isFolder(named)) return openFolder(named, context);
  return (await openStored(named, context)) ?? openRemote(named, context);
}

export function isFolder(named: string): boolean {
  return statSync(named, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * A local folder. Its key is the absolute path, which no repo name can equal. It counts as made today: nothing in the index came later,
 * and the dates of its files say when they were copied.
 */
export async function openFolder(folder: string, context: SubjectContext): Promise<Subject> {
  const files = meterFiles(createLocalRepo(folder));
  const weights = await openModel(files);
  const { model, tensors } = await readSamples(files, weights, context, {
    repo: resolve(folder),
    owner: '',
    createdAt: context.now().getTime(),
  });
  return {
    name: folder,
    origin: 'folder',
    model,
    tensors,
    opened: { files, weights, repo: null },
    read: files.usage(),
  };
}

async function openStored(named: string, context: SubjectContext): Promise<Subject | null> {
  const { store, config, signal } = context;
  const found = (await store?.findRepo(named)) ?? null;
  if (store === null || found === null) return null;
  const summary = await store.loadSummary(found.repo);
  const version = await findAnalyserVersion(store, config.sampling);
  const current = version !== null && (await store.getRepo(found.hubId))?.fingerprintVersion === version;
  if (summary === null || !current) return null;
  const tensors = (await createSampleLoader({ store, signal })([found.repo])).get(found.repo);
  if (tensors === undefined) return null;
  const { repo, owner, createdAt, fingerprint } = summary;
  return {
    name: repo,
    origin: 'index',
    model: { repo, owner, createdAt, fingerprint },
    tensors,
    opened: null,
    read: { requests: 0, bytes: 0 },
  };
}

/** A repo of the Hub, whatever folders or index rows carry its name. */
export async function openRemote(named: string, context: SubjectContext): Promise<Subject> {
  if (!/^[\w.-]+(?:\/[\w.-]+)?$/.test(named))
    throw new HublineageError('UsageInvalid', `"${named}" is neither a folder nor the name of a repo.`, {
      hint: 'Repos are named owner/name; folders hold the files of one model.',
    });
  const { repo } = await context.hub().modelInfo(named);
  const files = meterFiles(context.hub().openRepo(repo.repo, repo.sha ?? 'main', { gated: repo.gated }));
  const weights = await openModel(files, {
    config: repo.config,
    tags: repo.tags,
    libraryName: repo.libraryName,
  });
  const { model, tensors } = await readSamples(files, weights, context, {
    repo: repo.repo,
    owner: repo.repo.split('/')[0] ?? '',
    createdAt: Date.parse(repo.createdAt),
  });
  return {
    name: repo.repo,
    origin: 'hub',
    model,
    tensors,
    opened: { files, weights, repo },
    read: files.usage(),
  };
}

async function readSamples(
  files: MeteredFiles,
  weights: ModelWeights,
  context: SubjectContext,
  facts: Omit<LineageModel, 'fingerprint'>,
): Promise<Pick<Subject, 'model' | 'tensors'>> {
  const { tensors, ...fingerprint } = await fingerprintModel(weights, files, context.config.sampling);
  return { model: { ...facts, fingerprint }, tensors };
}
