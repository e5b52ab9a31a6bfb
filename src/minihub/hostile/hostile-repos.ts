import { createBytesFile, createTextFile } from '../repos/bytes-file.ts';
import { readCardData } from '../repos/card.ts';
import type { RepoFile, RepoSeed } from '../repos/record.ts';
import { createVirtualRepos } from '../virtual/virtual-repos.ts';
import { BROKEN_GGUF } from './broken-gguf.ts';
import { BROKEN_PICKLES } from './broken-pickle.ts';
import { BROKEN_INDEXES, BROKEN_SAFETENSORS, createHugeHeader } from './broken-safetensors.ts';
import { ODD_BASE_MODELS, ODD_READMES } from './odd-cards.ts';

const CONFIG = { architectures: ['LlamaForCausalLM'], model_type: 'llama' };
const ROOT = 'hostile/clean-root';

/**
 * Repos `hostile/<what is wrong>`, one a hazard, beside one clean model they may declare. A crawl of them must end with rows,
 * in bounded memory, nothing executed, and the clean model read as ever.
 */
export function createHostileRepos(): RepoSeed[] {
  const clean = createVirtualRepos({
    seed: 51,
    models: [{ id: ROOT, shape: 'llama-tiny', relation: 'root' }],
  });
  const weights: [name: string, files: RepoFile[]][] = [
    ...made(BROKEN_SAFETENSORS, 'model.safetensors'),
    ['header-30-mb', [createHugeHeader()]],
    ...Object.entries(BROKEN_INDEXES).map(([name, files]): [string, RepoFile[]] => [name, files()]),
    ...made(BROKEN_GGUF, 'model.gguf'),
    [
      'gguf-part-missing',
      [createBytesFile('model-00001-of-00002.gguf', BROKEN_GGUF['gguf-infos-truncated']!())],
    ],
    ...made(BROKEN_PICKLES, 'pytorch_model.bin'),
    ['file-names', ODD_NAMES.map((name) => createTextFile(name, 'odd name'))],
  ];
  const cleanFiles = clean[0]!.files.filter((file) => file.path !== 'README.md');
  return [
    ...clean,
    ...weights.map(([name, files]) => toSeed(name, files, '---\nlicense: mit\n---\n')),
    ...Object.entries(ODD_READMES).map(([name, readme]) => toSeed(name, cleanFiles, readme)),
    ...Object.entries(ODD_BASE_MODELS).map(([name, value]) =>
      toSeed(name, cleanFiles, `---\nlicense: mit\nbase_model: ${JSON.stringify(value)}\n---\n`),
    ),
  ];
}

const ODD_NAMES = [
  'a b#c?d%e.txt',
  'ünïcode/naïve.json',
  'tab\tand\u0007bell.txt',
  '%2e%2e/up.txt',
  'config.json',
];

function made(table: Record<string, () => Buffer>, path: string): [string, RepoFile[]][] {
  return Object.entries(table).map(([name, make]) => [name, [createBytesFile(path, make())]]);
}

function toSeed(name: string, files: readonly RepoFile[], readme: string): RepoSeed {
  return {
    id: `hostile/${name}`,
    files: [createTextFile('README.md', readme), ...files],
    cardData: readCardData(readme),
    config: CONFIG,
    libraryName: 'transformers',
    pipelineTag: 'text-generation',
  };
}
