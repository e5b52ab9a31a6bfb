import type { HubFile } from '../types/hub.ts';
import { chooseGgufFiles } from './choose-gguf.ts';

/** One way to read the repo's model. */
export interface Candidate {
  reader: 'safetensors' | 'torch' | 'gguf';
  /** as in ModelWeights; single root files are told apart by what is in them */
  format: 'safetensors' | 'diffusers' | 'single-file' | 'gguf' | 'bin' | 'peft' | 'meta';
  /** weight files in order; with an index, what lies beside it */
  files: string[];
  /** `*.index.json` to read first, or null */
  index: string | null;
  /** PEFT's adapter_config.json, or null */
  adapterConfig: string | null;
  note: string | null;
  /** the repo holds coarser files of the same model beside these: what is read of it is not what it is offered as */
  quantizedBeside?: boolean;
}

/** Folders that never hold the model itself (components, exports, trainer state). */
const OTHER_FOLDERS =
  /(?:^|\/)(?:text_encoder(?:_\d)?|tokenizer(?:_\d)?|vae(?:_\w+)?|safety_checker|feature_extractor|image_encoder|scheduler|controlnet|onnx|openvino|coreml|mlpackage|runs|logs|global_step\d+|\.[^/]*)\//i;

/** Root files that are no model: trainer state, embeddings, components. */
const OTHER_FILES =
  /(?:^|\/)(?:optimizer|scheduler|training_args|trainer_state|rng_state\w*|scaler|random_states\w*|learned_embeds\w*|emb_params\w*)[^/]*$|\.(?:vae|imatrix)\.\w+$/i;

const SHARD = /^(.*?)[-_](\d{5,6})-of-(\d{5,6})\.(safetensors|bin)$/;

/**
 * Ways to read a repo, best first: shallow folders before deep ones, safetensors before pickles before GGUF, the whole model before
 * an adapter (the Hub has no rule: this is the order of what its own libraries load). Empty when nothing looks like weights.
 */
export function chooseFiles(files: readonly HubFile[], repoName: string): Candidate[] {
  const usable = files.filter((file) => !OTHER_FOLDERS.test(file.path) && !OTHER_FILES.test(file.path));
  const folders = groupByFolder(usable);
  const diffusers: Candidate[] = [];
  const full: Candidate[] = [];
  const adapters: Candidate[] = [];
  for (const [folder, inside] of folders) {
    const isUnet = /(?:^|\/)unet(?:_ema)?\/$/.test(folder);
    if (isUnet) diffusers.push(...componentCandidates(folder, inside));
    else {
      adapters.push(...adapterCandidates(folder, inside));
      full.push(...folderCandidates(folder, inside, repoName));
    }
  }
  const depth = (candidate: Candidate) => (candidate.index ?? candidate.files[0] ?? '').split('/').length;
  const isLonePickle = (candidate: Candidate) =>
    candidate.format === 'single-file' && candidate.reader === 'torch';
  return [
    ...diffusers,
    ...[...full.filter((candidate) => !isLonePickle(candidate)), ...adapters].sort(
      (a, b) => depth(a) - depth(b) || certaintyOf(a) - certaintyOf(b),
    ),
    ...chooseGgufFiles(usable),
    ...full.filter(isLonePickle),
  ];
}

/**
 * Order within a folder, lower first. A full model beats an adapter beside it (but not one further up: a trainer's checkpoints lie
 * below its result), a name with a meaning beats a file called anything, and safetensors beats a pickle of the same kind.
 */
function certaintyOf({ format, reader }: Candidate): number {
  const kind = { safetensors: 0, bin: 0, diffusers: 0, gguf: 0, meta: 2, peft: 4, 'single-file': 6 }[format];
  return kind + (reader === 'torch' ? 1 : 0);
}

/** Folder (`''` or ending in `/`) -> its files, shallow folders first, checkpoints latest first. */
function groupByFolder(files: readonly HubFile[]): Map<string, HubFile[]> {
  const groups = new Map<string, HubFile[]>();
  for (const file of files) {
    const folder = file.path.slice(0, file.path.lastIndexOf('/') + 1);
    const group = groups.get(folder);
    if (group === undefined) groups.set(folder, [file]);
    else group.push(file);
  }
  const depth = (folder: string) => folder.split('/').length;
  const step = (folder: string) => Number(/(\d+)\/$/.exec(folder)?.[1] ?? -1);
  return new Map(
    [...groups].sort(([a], [b]) => depth(a) - depth(b) || step(b) - step(a) || (a < b ? -1 : 1)),
  );
}

const create = (candidate: Pick<Candidate, 'reader' | 'format'> & Partial<Candidate>): Candidate => ({
  files: [],
  index: null,
  adapterConfig: null,
  note: null,
  ...candidate,
});

/** A diffusers component folder: plain weights first, then the fp16 and other variants, safetensors before `.bin`. */
function componentCandidates(folder: string, files: readonly HubFile[]): Candidate[] {
  const candidates: { candidate: Candidate; rank: number }[] = [];
  const shards = new Map<string, string[]>();
  for (const { path } of files) {
    const name = path.slice(folder.length);
    const index = /^diffusion_pytorch_model(\.\w+)?\.(safetensors|bin)\.index(\.\w+)?\.json$/.exec(name);
    const single = /^diffusion_pytorch_model(\.\w+)?\.(safetensors|bin)$/.exec(name);
    const shard = SHARD.exec(name);
    const match = index ?? single;
    if (shard?.[1]?.startsWith('diffusion_pytorch_model')) {
      const stem = `${shard[1]}|${shard[4]}`;
      shards.set(stem, [...(shards.get(stem) ?? []), path]);
    }
    if (match === null) continue;
    const variant = match[1] ?? match[3] ?? '';
    const reader = match[2] === 'bin' ? 'torch' : 'safetensors';
    const rank =
      (reader === 'torch' ? 10 : 0) +
      (variant === '' ? 0 : variant === '.fp16' ? 1 : 2) +
      (index === null ? 0.5 : 0);
    const note = variant === '' ? null : `read the variant ${variant.slice(1)} of the UNet`;
    candidates.push({
      rank,
      candidate: create({
        reader,
        format: 'diffusers',
        note,
        ...(index === null ? { files: [path] } : { index: path }),
      }),
    });
  }
  if (candidates.length === 0) {
    for (const [stem, paths] of shards) {
      const reader = stem.endsWith('|bin') ? 'torch' : 'safetensors';
      candidates.push({
        rank: reader === 'torch' ? 10 : 0,
        candidate: create({ reader, format: 'diffusers', files: paths.sort() }),
      });
    }
  }
  return candidates.sort((a, b) => a.rank - b.rank).map(({ candidate }) => candidate);
}

function adapterCandidates(folder: string, files: readonly HubFile[]): Candidate[] {
  const has = (name: string) => files.some((file) => file.path === folder + name);
  const config = has('adapter_config.json') ? `${folder}adapter_config.json` : null;
  const candidates: Candidate[] = [];
  for (const name of ['adapter_model.safetensors', 'adapter_model.bin']) {
    if (!has(name)) continue;
    const reader = name.endsWith('.bin') ? 'torch' : 'safetensors';
    candidates.push(create({ reader, format: 'peft', files: [folder + name], adapterConfig: config }));
  }
  return candidates;
}

/** Everything else in one folder: HF models with an index or without, Meta's files, and lone files of any name. */
function folderCandidates(folder: string, files: readonly HubFile[], repoName: string): Candidate[] {
  const candidates: Candidate[] = [];
  const paths = new Set(files.map((file) => file.path));
  const named = (pattern: RegExp) =>
    files
      .map((file) => file.path)
      .filter((path) => pattern.test(path.slice(folder.length)))
      .sort();

  for (const extension of ['safetensors', 'bin'] as const) {
    const reader = extension === 'bin' ? 'torch' : 'safetensors';
    const format = extension === 'bin' ? 'bin' : 'safetensors';
    const stem = extension === 'bin' ? 'pytorch_model' : 'model';
    for (const index of named(
      new RegExp(`^(?:${stem}|diffusion_pytorch_model)\\.${extension}\\.index(?:\\.\\w+)?\\.json$`),
    )) {
      candidates.push(create({ reader, format, index }));
    }
    for (const name of [stem, 'diffusion_pytorch_model', `${stem}.fp16`, `${stem}.bf16`]) {
      const path = `${folder}${name}.${extension}`;
      if (paths.has(path)) candidates.push(create({ reader, format, files: [path] }));
    }
    for (const shards of groupShards(files, extension)) {
      candidates.push(create({ reader, format, files: shards, note: 'shards read without an index' }));
    }
  }
  candidates.push(...loneFiles(folder, files, repoName));
  for (const path of named(/^consolidated(?:\.00)?\.(?:safetensors|pth)$/)) {
    const reader = path.endsWith('.pth') ? 'torch' : 'safetensors';
    const parts = named(/^consolidated\.\d\d\.pth$/);
    candidates.push(
      create({ reader, format: 'meta', files: reader === 'torch' && parts.length > 0 ? parts : [path] }),
    );
  }
  return candidates;
}

/** Complete or incomplete sets `x-0000i-of-0000n.ext`, one array a set. */
function groupShards(files: readonly HubFile[], extension: string): string[][] {
  const sets = new Map<string, string[]>();
  for (const { path } of files) {
    const match = SHARD.exec(path);
    if (
      match === null ||
      match[4] !== extension ||
      /(?:^|\/)diffusion_pytorch_model/.test(match[1] as string)
    )
      continue;
    const key = `${match[1]}|${match[3]}`;
    sets.set(key, [...(sets.get(key) ?? []), path]);
  }
  return [...sets.values()].map((paths) => paths.sort());
}

/** Names of what is probably a component, another kind of model, or a snapshot of training; only the header knows, so these come last. */
const OTHER_KIND =
  /inpaint|refiner|ema-?only|pruned|(?:^|[/._-])(?:vae|text_encoder|clip|embedding)(?:[._-]|$)|-\d{6}\.\w+$|[-_](?:step|epoch)s?[-_]?\d+\.\w+$/i;

/**
 * Root-level checkpoints and LoRA of any name. Where a repo holds several, the one named like the repo, else the largest that is
 * no inpainting or pruned variant: an arbitrary choice that must not change from night to night, and is told in a note.
 */
function loneFiles(folder: string, files: readonly HubFile[], repoName: string): Candidate[] {
  const known =
    /^(?:(?:pytorch_)?model(?:\.\w+)?|diffusion_pytorch_model(?:\.\w+)?|adapter_model|consolidated[.\w]*)\.(?:safetensors|bin|pth)$/;
  const lone = files.filter((file) => {
    const name = file.path.slice(folder.length);
    return /\.(?:safetensors|ckpt|bin|pt|pth)$/i.test(name) && !known.test(name) && !SHARD.test(name);
  });
  const stemOf = (path: string) =>
    path
      .slice(folder.length)
      .replace(/\.\w+$/, '')
      .toLowerCase();
  const rank = (file: HubFile) =>
    stemOf(file.path) === repoName.toLowerCase() ? 0 : OTHER_KIND.test(file.path) ? 2 : 1;
  const isSafe = (file: HubFile) => /\.safetensors$/i.test(file.path);
  return lone
    .sort(
      (a, b) =>
        Number(isSafe(b)) - Number(isSafe(a)) ||
        rank(a) - rank(b) ||
        b.size - a.size ||
        (a.path < b.path ? -1 : 1),
    )
    .map((file, index) =>
      create({
        reader: isSafe(file) ? 'safetensors' : 'torch',
        format: 'single-file',
        files: [file.path],
        note:
          index === 0 && lone.length > 1
            ? `the repo holds ${lone.length} checkpoints, read ${file.path}`
            : null,
      }),
    );
}
