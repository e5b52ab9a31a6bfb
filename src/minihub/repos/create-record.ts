import { floorCreatedAt, toCommitSha, toHubId } from './identity.ts';
import type { RepoFile, RepoRecord, RepoSeed } from './record.ts';
import { deriveTags } from './tags.ts';

/** Creation date of repos that come without one. Fixed, so that two runs serve the same Hub. */
const DEFAULT_CREATED_AT = '2024-01-01T00:00:00.000Z';

/** A whole repo from what a seed tells of it. */
export function createRecord(seed: RepoSeed): RepoRecord {
  const { files, sha, ...given } = seed;
  const createdAt = floorCreatedAt(toIso(seed.createdAt) ?? DEFAULT_CREATED_AT);
  const lastModified = toIso(seed.lastModified) ?? createdAt;
  const cardData = seed.cardData ?? null;
  const config = seed.config ?? null;
  const head = {
    sha:
      sha ??
      toCommitSha(
        seed.id,
        files.map((file) => [file.path, String(file.size)] as const),
      ),
    title: 'Upload files',
    date: lastModified,
    files,
  };
  return {
    hubId: toHubId(seed.id, Date.parse(createdAt)),
    downloads: 0,
    likes: 0,
    trendingScore: 0,
    private: false,
    gated: false,
    disabled: false,
    libraryName: textOrNull(cardData?.library_name),
    pipelineTag: textOrNull(cardData?.pipeline_tag),
    refs: {},
    ...given,
    tags: (seed.tags ?? deriveTags(files, cardData, config)).filter((tag) => !tag.startsWith('base_model:')),
    createdAt,
    lastModified,
    cardData,
    config,
    commits: [head],
  };
}

/** Puts a commit on top of `main`; earlier ones stay reachable by their sha. */
export function addCommit(
  repo: RepoRecord,
  files: readonly RepoFile[],
  sha: string,
  title: string,
  date: string,
): void {
  repo.commits.unshift({ sha, title, date, files });
  repo.lastModified = date;
}

const textOrNull = (value: unknown) => (typeof value === 'string' ? value : null);

function toIso(value: unknown): string | null {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
