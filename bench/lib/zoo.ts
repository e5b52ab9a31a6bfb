import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DEFAULT_SAMPLING,
  fingerprintModel,
  meterFiles,
  type SamplingOptions,
} from '../../src/fingerprint/index.ts';
import { createLocalRepo } from '../../src/refresh/local-repo.ts';
import { toHublineageError } from '../../src/types/errors.ts';
import type { Fingerprint } from '../../src/types/fingerprint.ts';
import { openModel } from '../../src/weights/index.ts';
import { readZooCache, writeZooCache } from './zoo-cache.ts';

/** One repo of a zoo, from repos.json. */
export interface ZooRepo {
  repo: string;
  owner: string;
  /** ms since epoch */
  createdAt: number;
  hubId: string;
  gated: false | 'auto' | 'manual';
  cardData: Record<string, unknown> | null;
  config: Record<string, unknown> | null;
  tags: string[];
  libraryName: string | null;
}

export interface ZooModel extends ZooRepo {
  /** null for a gated repo without an open twin, or with `error` */
  fingerprint: Fingerprint | null;
  /** `code: message` when its weights could not be read */
  error: string | null;
}

/** What truth.json knows of one repo. */
export interface ZooTruth {
  parents: string[];
  relation: string;
  arch: string;
  declared: string[];
  declared_relation: string | null;
  declared_status: string;
  detail: string;
  dtype: string;
}

export interface Zoo {
  models: ZooModel[];
  truth: Record<string, ZooTruth>;
}

/**
 * A zoo folder (repos.json, truth.json, one folder a repo), its fingerprints made locally without HTTP. Files of gated repos are used
 * for their sha256 only, as on the Hub: equal files of an open repo lend their fingerprint.
 */
export async function loadZoo(
  dir: string,
  options: { cacheFile?: string; sampling?: SamplingOptions } = {},
): Promise<Zoo> {
  const truth = JSON.parse(await readFile(join(dir, 'truth.json'), 'utf8')) as Zoo['truth'];
  const cached = options.cacheFile === undefined ? null : await readZooCache(options.cacheFile);
  if (cached) return { models: cached, truth };
  const rows = JSON.parse(await readFile(join(dir, 'repos.json'), 'utf8')) as Record<string, unknown>[];
  const models: ZooModel[] = [];
  for (const row of rows)
    models.push(await readModel(dir, toZooRepo(row), options.sampling ?? DEFAULT_SAMPLING));
  await lendToGated(dir, models);
  if (options.cacheFile !== undefined) await writeZooCache(options.cacheFile, models);
  return { models, truth };
}

function toZooRepo(row: Record<string, unknown>): ZooRepo {
  const repo = row.id as string;
  return {
    repo,
    owner: (row.author as string | undefined) ?? repo.split('/')[0] ?? '',
    createdAt: Date.parse(row.createdAt as string),
    hubId: (row._id as string | undefined) ?? repo,
    gated: (row.gated ?? false) as ZooRepo['gated'],
    cardData: (row.cardData ?? null) as ZooRepo['cardData'],
    config: (row.config ?? null) as ZooRepo['config'],
    tags: (row.tags ?? []) as string[],
    libraryName: (row.library_name ?? null) as string | null,
  };
}

async function readModel(dir: string, repo: ZooRepo, sampling: SamplingOptions): Promise<ZooModel> {
  if (repo.gated !== false) return { ...repo, fingerprint: null, error: null };
  try {
    const files = meterFiles(createLocalRepo(join(dir, repo.repo), { label: repo.repo, hashWeights: true }));
    const { config, tags, libraryName } = repo;
    const weights = await openModel(files, { config, tags, libraryName });
    return { ...repo, fingerprint: await fingerprintModel(weights, files, sampling), error: null };
  } catch (cause) {
    const error = toHublineageError(cause, repo.repo);
    return { ...repo, fingerprint: null, error: `${error.code}: ${error.message}` };
  }
}

/** All of the lender's weight files must be among the gated repo's. */
async function lendToGated(dir: string, models: ZooModel[]): Promise<void> {
  for (const model of models) {
    if (model.gated === false) continue;
    const files = await createLocalRepo(join(dir, model.repo), { hashWeights: true }).list();
    const hashes = new Set(files.map(({ sha256 }) => sha256).filter((hash) => hash !== null));
    const twin = models.find(({ fingerprint }) =>
      fingerprint?.files.every(({ sha256 }) => sha256 !== null && hashes.has(sha256)),
    );
    model.fingerprint = twin?.fingerprint ?? null;
  }
}
