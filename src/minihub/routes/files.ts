import { lfsPointer } from '../repos/identity.ts';
import type { Commit, RepoFile, RepoRecord } from '../repos/record.ts';
import type { Answer } from '../wire/answer.ts';
import { answerJson, answerRedirect, answerText } from '../wire/answer.ts';
import { parseRange } from '../wire/ranges.ts';
import { refusals } from '../wire/refusals.ts';
import { toDisposition } from '../wire/signatures.ts';
import type { Call, HubState } from './call.ts';
import { decodePart, mayRead } from './call.ts';

/** Headers of every answer about a file at a commit, refusals included. */
const commitHeaders = (commit: Commit) => ({
  'x-repo-commit': commit.sha,
  'accept-ranges': 'bytes',
  'x-hub-cache': 'MISS',
});

/** Why the file cannot be had, or the file. */
export function findFile(
  call: Call,
  repo: RepoRecord,
  commit: Commit,
  pathSegments: string[],
): { refused: Answer } | { file: RepoFile } {
  if (repo.disabled) return { refused: refusals.disabled() };
  if (repo.gated !== false && !mayRead(call, repo)) {
    return { refused: refusals.gated(repo.id, call.hasToken, commitHeaders(commit)) };
  }
  const path = decodePart(pathSegments.join('/'));
  const file = commit.files.find((candidate) => candidate.path === path);
  if (file === undefined) return { refused: refusals.entryMissing('files', commitHeaders(commit)) };
  return { file };
}

/** `GET|HEAD /{id}/resolve/{rev}/{path}`: 307 to the resolve cache for git files, 302 to a signed CDN URL for LFS. */
export async function answerResolve(
  state: HubState,
  call: Call,
  repo: RepoRecord,
  commit: Commit,
  file: RepoFile,
): Promise<Answer> {
  countDownload(state, repo, commit, file);
  const { oid, sha256, xetHash } = await file.identity();
  const encodedPath = file.path.split('/').map(encodeURIComponent).join('/');
  const common = {
    ...commitHeaders(commit),
    'content-disposition': toDisposition(file.path.slice(file.path.lastIndexOf('/') + 1)),
    'content-security-policy': "default-src 'none'; sandbox",
    vary: 'Origin, Accept',
  };
  if (sha256 === null || xetHash === null) {
    const original = encodeURIComponent(call.path);
    const location = `/api/resolve-cache/models/${repo.id}/${commit.sha}/${encodedPath}?${original}=&etag=${encodeURIComponent(`"${oid}"`)}`;
    return answerRedirect(307, location, { ...common, 'x-linked-etag': `"${oid}"` });
  }
  const cdnPath = `/xet-bridge-us/${repo.hubId}/${xetHash}`;
  state.published.set(cdnPath, file);
  state.publishedByHash.set(xetHash, file);
  const linked = {
    ...common,
    'x-linked-size': String(file.size),
    'x-linked-etag': `"${sha256}"`,
    'x-xet-hash': xetHash,
    link: [
      `<${state.url()}/api/models/${repo.id}/xet-read-token/${commit.sha}>; rel="xet-auth"`,
      `<${state.cdnUrl()}/v1/reconstructions/${xetHash}>; rel="xet-reconstruction-info"`,
    ].join(', '),
    'cache-control': 'no-store',
  };
  if (call.headers.accept?.includes('application/vnd.xet-fileinfo+json')) {
    return answerJson({ hash: xetHash, size: file.size }, 200, {
      ...linked,
      'content-type': 'application/vnd.xet-fileinfo+json',
      etag: `"${sha256}"`,
    });
  }
  const signed = state.signer.signPath(cdnPath, file.path, state.signatureTtlSeconds);
  const isOllama = call.headers['user-agent']?.startsWith('ollama') ?? false;
  return answerRedirect(isOllama ? 307 : 302, state.cdnUrl() + signed, linked);
}

/** `GET|HEAD /api/resolve-cache/models/{id}/{commit}/{path}`: the bytes of a git file. */
export async function answerResolveCache(call: Call, commit: Commit, file: RepoFile): Promise<Answer> {
  const { oid, sha256 } = await file.identity();
  const etag = `"${oid}"`;
  const headers = {
    ...commitHeaders(commit),
    etag,
    'content-type': 'text/plain; charset=utf-8',
    'content-disposition': toDisposition(file.path.slice(file.path.lastIndexOf('/') + 1)),
    'content-security-policy': "default-src 'none'; sandbox",
    'cache-control': 'public, max-age=31536000, immutable',
  };
  if (sha256 !== null) return refusals.entryMissing('files', commitHeaders(commit));
  if (call.headers['if-none-match'] === etag) return { status: 304, headers, body: '', compressible: false };
  const range = parseRange(call.headers.range, file.size);
  if (range.kind === 'unsatisfiable') {
    return answerText('', 416, { ...headers, 'content-range': `bytes */${file.size}` });
  }
  if (range.kind === 'part') {
    return {
      status: 206,
      headers: { ...headers, 'content-range': `bytes ${range.start}-${range.end}/${file.size}` },
      body: { file, offset: range.start, length: range.end - range.start + 1 },
      compressible: false,
    };
  }
  const body = file.size === 0 ? new Uint8Array() : await file.read(0, file.size);
  return { status: 200, headers, body, compressible: true };
}

/** `GET|HEAD /{id}/raw/{rev}/{path}`: what git holds, so the pointer of an LFS file. */
export async function answerRaw(commit: Commit, file: RepoFile): Promise<Answer> {
  const { oid, sha256 } = await file.identity();
  const headers = { ...commitHeaders(commit), etag: `"${oid}"`, 'content-type': 'text/plain; charset=utf-8' };
  const body =
    sha256 !== null
      ? lfsPointer(sha256, file.size)
      : file.size === 0
        ? new Uint8Array()
        : await file.read(0, file.size);
  return { status: 200, headers, body, compressible: false };
}

/** Query files (hub-docs, models-download-stats): config.json, adapter_config.json, GGUF, and a pipeline's index or root weights. */
function countDownload(state: HubState, repo: RepoRecord, commit: Commit, file: RepoFile): void {
  const isDiffusers = commit.files.some((other) => other.path === 'model_index.json');
  const counts =
    file.path === 'config.json' ||
    file.path === 'adapter_config.json' ||
    file.path.endsWith('.gguf') ||
    (repo.libraryName === 'diffusers' || isDiffusers
      ? file.path === 'model_index.json' || /^[^/]+\.(safetensors|ckpt|bin)$/.test(file.path)
      : false);
  if (counts) state.stats.downloads[repo.id] = (state.stats.downloads[repo.id] ?? 0) + 1;
}
