import type { MinihubOptions, RepoSeed } from '../index.ts';
import { createBytesFile, createTextFile, startMinihub } from '../index.ts';

/** Bytes whose value tells their position, so that a wrong slice shows. */
export const WEIGHTS = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

export function smallSeeds(): RepoSeed[] {
  const files = [
    createTextFile('README.md', '# small\n'),
    createTextFile('config.json', '{"model_type":"llama"}'),
    createTextFile('empty.txt', ''),
    createTextFile('sub/odd #1 %? ü.json', '{"odd":true}'),
    createTextFile('vocab.txt', 'word\n'.repeat(1000)),
    createBytesFile('model.safetensors', WEIGHTS),
  ];
  const seed = (id: string, createdAt: string, more: Partial<RepoSeed> = {}): RepoSeed => ({
    id,
    files,
    createdAt,
    libraryName: 'transformers',
    config: { model_type: 'llama' },
    tags: ['transformers', 'llama', 'license:mit'],
    ...more,
  });
  return [
    seed('acme/root', '2023-01-01T00:00:00.000Z', {
      downloads: 50,
      likes: 3,
      pipelineTag: 'text-generation',
    }),
    seed('acme/child', '2023-02-01T00:00:00.000Z', { downloads: 50, cardData: { base_model: 'ACME/Root' } }),
    seed('acme/gated', '2023-03-01T00:00:00.000Z', { gated: 'manual', downloads: 7 }),
    seed('acme/hidden', '2023-04-01T00:00:00.000Z', { private: true }),
    seed('acme/disabled', '2023-05-01T00:00:00.000Z', { disabled: true, libraryName: null }),
    seed('zeta/old', '2020-01-01T00:00:00.000Z', { cardData: { base_model: ['acme/root', 'acme/child'] } }),
  ];
}

/** A small Hub and a fetch that follows nothing. */
export async function startSmallHub(options: MinihubOptions = {}) {
  const hub = await startMinihub({ repos: smallSeeds(), ...options });
  const get = (path: string, init: RequestInit = {}) =>
    fetch(path.startsWith('http') ? path : hub.url + path, { redirect: 'manual', ...init });
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  const json = async (path: string, init?: RequestInit): Promise<any> => (await get(path, init)).json();
  /** signed CDN URL of a weight file */
  const sign = async (repo = 'acme/root', path = 'model.safetensors') =>
    (await get(`/${repo}/resolve/main/${path}`)).headers.get('location') ?? '';
  return { hub, get, json, sign };
}
