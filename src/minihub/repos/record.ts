/** Content identity of one file, as the Hub knows it. */
export interface FileIdentity {
  /** git blob sha1: of the bytes, or of the LFS pointer */
  oid: string;
  /** of the content; null for files kept in git */
  sha256: string | null;
  /** a function of the content like the real one, but not its Merkle construction; null for files kept in git */
  xetHash: string | null;
}

/** One file of one revision: bytes on disk, in memory, or a formula. */
export interface RepoFile {
  readonly path: string;
  /** bytes */
  readonly size: number;
  readonly lfs: boolean;
  identity(): Promise<FileIdentity>;
  /** exactly `length` bytes from `offset`; the caller stays inside the file and asks for at most a few megabytes at a time */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface Commit {
  /** 40 hex */
  sha: string;
  title: string;
  /** ISO 8601 */
  date: string;
  files: readonly RepoFile[];
}

export interface SafetensorsSummary {
  parameters: Record<string, number>;
  total: number;
}

/** A repo as the server holds it. Mutable on purpose: tests play the Hub's users. */
export interface RepoRecord {
  /** 24 hex; survives renames */
  hubId: string;
  /** `owner/name`, or a bare legacy name */
  id: string;
  createdAt: string;
  lastModified: string;
  downloads: number;
  likes: number;
  trendingScore: number;
  private: boolean;
  gated: false | 'auto' | 'manual';
  disabled: boolean;
  libraryName: string | null;
  pipelineTag: string | null;
  /** without `base_model:*`, which the server derives */
  tags: string[];
  /** null when the card has no front matter or its YAML is broken */
  cardData: Record<string, unknown> | null;
  config: Record<string, unknown> | null;
  /** newest first; the first is `main` */
  commits: Commit[];
  /** further branches, tags and pull requests: `refs/pr/1`, `refs/tags/v1`, a branch name -> sha */
  refs: Record<string, string>;
  /** what listings claim; undefined = computed from the files, null = claimed absent */
  safetensors?: SafetensorsSummary | null;
  gguf?: Record<string, unknown> | null;
}

/** What is needed to bring a repo into being; everything else has a plausible default. */
export type RepoSeed = Pick<RepoRecord, 'id'> &
  Partial<Omit<RepoRecord, 'id' | 'commits'>> & {
    files: readonly RepoFile[];
    /** commit of `main`; a hash over the files when absent */
    sha?: string | null;
  };

export function headOf(repo: RepoRecord): Commit {
  const head = repo.commits[0];
  if (head === undefined) throw new Error(`${repo.id} has no commit`);
  return head;
}

export function ownerOf(id: string): string | null {
  const slash = id.indexOf('/');
  return slash < 0 ? null : id.slice(0, slash);
}
