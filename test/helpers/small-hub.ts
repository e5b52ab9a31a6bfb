import { createVirtualRepos, type RepoFile, type RepoSeed } from '../../src/minihub/index.ts';

/** Authors tag what the Hub does not recognise by itself. */
const TAGS: Record<string, string[]> = {
  'owl/base-chat-GGUF': ['llama'],
  'owl/base-lora': ['llama'],
  'ibex/paint-anime': ['stable-diffusion'],
};

const files = new Map<string, RepoFile>();

/** Computes a file once: the same bytes are served on every night of every test. */
function remember(repo: string, file: RepoFile): RepoFile {
  const key = `${repo} ${file.path}`;
  const known = files.get(key);
  if (known !== undefined) return known;
  let bytes: Promise<Uint8Array> | null = null;
  let identity: ReturnType<RepoFile['identity']> | null = null;
  const made: RepoFile = {
    path: file.path,
    size: file.size,
    lfs: file.lfs,
    identity() {
      identity ??= file.identity();
      return identity;
    },
    async read(offset, length) {
      bytes ??= file.read(0, file.size);
      return (await bytes).subarray(offset, offset + length);
    },
  };
  files.set(key, made);
  return made;
}

/** A few tiny models in every container, related to each other: what a whole pipeline can be run on in a fraction of a second. */
export function createSmallHub(seed = 7): RepoSeed[] {
  const repos = createVirtualRepos({
    seed,
    models: [
      { id: 'fox/base', shape: 'llama-tiny', relation: 'root' },
      {
        id: 'fox/base-chat',
        shape: 'llama-tiny',
        relation: 'finetune',
        parents: ['fox/base'],
        baseModel: 'fox/base',
        container: 'safetensors-sharded',
        maxShardBytes: 300_000,
      },
      {
        id: 'owl/base-chat-GGUF',
        shape: 'llama-tiny',
        relation: 'quantized',
        parents: ['fox/base-chat'],
        ggufTypes: ['Q8_0'],
        baseModel: 'fox/base-chat',
      },
      {
        id: 'owl/base-code',
        shape: 'llama-tiny',
        relation: 'finetune',
        parents: ['fox/base'],
        container: 'bin',
        baseModel: 'nobody/knows',
      },
      { id: 'owl/base-copy', shape: 'llama-tiny', relation: 'duplicate', parents: ['fox/base'] },
      {
        id: 'owl/base-lora',
        shape: 'llama-tiny',
        relation: 'adapter',
        parents: ['fox/base'],
        baseModel: 'fox/base',
      },
      { id: 'elk/closed', shape: 'llama-tiny', relation: 'root', gated: 'manual' },
      { id: 'elk/open-copy', shape: 'llama-tiny', relation: 'duplicate', parents: ['elk/closed'] },
      {
        id: 'elk/only-card',
        shape: 'llama-tiny',
        relation: 'finetune',
        parents: ['fox/base'],
        container: 'none',
      },
      { id: 'ibex/paint', shape: 'sd-tiny', relation: 'root' },
      {
        id: 'ibex/paint-anime',
        shape: 'sd-tiny',
        relation: 'finetune',
        parents: ['ibex/paint'],
        container: 'single-file',
        baseModel: 'ibex/paint',
      },
    ],
  });
  return repos.map((repo) => ({
    ...repo,
    files: repo.files.map((file) => remember(`${seed} ${repo.id}`, file)),
    ...(TAGS[repo.id] === undefined ? {} : { tags: TAGS[repo.id]! }),
  }));
}
