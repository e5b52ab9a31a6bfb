/** What the Hub says about one repo in a listing row, normalised: absent fields are null, never undefined. */
export interface HubRepo {
  /** 24 hex ObjectId; stable across renames. */
  hubId: string;
  /** `owner/name`, or a bare legacy `name`. */
  repo: string;
  /** Commit of the default branch, 40 hex; null when the Hub gave none. */
  sha: string | null;
  /** ISO 8601, UTC. */
  createdAt: string;
  lastModified: string | null;
  downloads: number;
  likes: number;
  gated: false | 'auto' | 'manual';
  private: boolean;
  disabled: boolean;
  tags: string[];
  pipelineTag: string | null;
  libraryName: string | null;
  /** Card front matter as the Hub parsed it; null when there is none or its YAML is broken. */
  cardData: Record<string, unknown> | null;
  /** The Hub's subset of config.json; null when absent. */
  config: Record<string, unknown> | null;
  /** File paths from `siblings`. */
  files: string[];
  safetensors: { parameters: Record<string, number>; total: number } | null;
  gguf: Record<string, unknown> | null;
  /** Parents the Hub itself could resolve; null when nothing is declared. */
  baseModels: { relation: string; models: { hubId: string; repo: string }[] } | null;
}

/** One file of a repo at one revision, with its content identity. */
export interface HubFile {
  path: string;
  /** bytes */
  size: number;
  /** git blob sha1 (of the pointer for LFS files). */
  oid: string | null;
  /** sha256 of the content for LFS/Xet files, else null. */
  sha256: string | null;
}

/** Random access to the bytes of one file, wherever it lies. */
export interface ByteSource {
  readonly path: string;
  /** bytes */
  readonly size: number;
  /** sha256 of the whole file when known without reading it. */
  readonly sha256: string | null;
  /** Exactly `length` bytes from `offset`; throws HublineageError (BodyTruncated, OffsetInvalid, ...) otherwise. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** The files of one repo at one revision: remote (src/hub) or a local folder. Nothing is read until asked for. */
export interface RepoFiles {
  /** For messages: `owner/name` or a folder. */
  readonly label: string;
  /** All files with sizes and hashes. */
  list(): Promise<HubFile[]>;
  /** Opens for slices; one `resolve` a file on the Hub. FileMissing when it is not there. */
  open(path: string): Promise<ByteSource>;
  /** A small text or JSON file, whole; BodyTooLarge beyond maxBytes, FileMissing when absent. */
  readSmall(path: string, maxBytes: number): Promise<Uint8Array>;
}
