import { HublineageError } from '../types/errors.ts';
import type { HubFile, RepoFiles } from '../types/hub.ts';
import type { CanonicalTensor, ModelWeights } from '../types/weights.ts';
import {
  createCanonicalTensor,
  createInterleavedRowMap,
  fromDiffusersUnetName,
  fromHfLlamaName,
  fromLdmUnetNames,
  fromMetaLlamaName,
  type RowMap,
  rotaryProjectionOf,
} from './canonical/index.ts';
import type { Candidate } from './choose-files.ts';
import { type KnownFacts, readArchitecture, readCount, readJsonObject } from './facts.ts';
import { type RawTensor, toMatrix } from './raw-tensor.ts';
import type { RawContents } from './read-tensors.ts';
import type { Naming } from './recognise.ts';
import {
  describeComponents,
  summariseLlamaWidths,
  summariseUnetWidths,
  summariseValues,
} from './summarise.ts';

interface Build {
  repo: RepoFiles;
  candidate: Candidate;
  contents: RawContents;
  listing: readonly HubFile[];
  facts: KnownFacts;
}

/** A full model under canonical names. ArchitectureUnsupported when nothing of a Llama or a UNet is left. */
export async function buildFullModel(build: Build, naming: Naming): Promise<ModelWeights> {
  switch (naming.kind) {
    case 'llama-hf':
      return finishLlama(build, nameTensors(build, fromHfLlamaName), build.facts.config ?? null);
    case 'llama-meta':
      return buildMetaLlama(build);
    case 'unet-diffusers':
      return finishUnet(build, nameTensors(build, fromDiffusersUnetName));
    case 'unet-ldm': {
      const { prefix } = naming;
      const inside = build.contents.tensors.filter((tensor) => tensor.name.startsWith(prefix));
      const names = fromLdmUnetNames(inside.map((tensor) => tensor.name.slice(prefix.length)));
      const toName = (name: string) =>
        name.startsWith(prefix) ? (names.get(name.slice(prefix.length)) ?? null) : null;
      return finishUnet(build, nameTensors(build, toName));
    }
    default:
      throw new HublineageError('ArchitectureUnsupported', 'neither a Llama nor a Stable Diffusion UNet', {
        where: build.candidate.index ?? build.candidate.files[0],
      });
  }
}

/** Canonical name -> raw tensor; what has no canonical name is counted in a note, empty tensors are left out. */
function nameTensors(build: Build, toName: (name: string) => string | null): Map<string, RawTensor> {
  const named = new Map<string, RawTensor>();
  let ignored = 0;
  for (const raw of build.contents.tensors) {
    const name = toName(raw.name);
    const { rows, cols } = toMatrix(raw.shape);
    if (name === null || rows * cols === 0 || named.has(name)) ignored++;
    else named.set(name, raw);
  }
  if (named.size === 0) {
    throw new HublineageError('NoWeights', 'no tensor of the model proper has values', {
      where: build.candidate.index ?? build.candidate.files[0],
    });
  }
  if (ignored > 0)
    build.contents.notes.push(`${ignored} tensors that are no part of the model proper were left out`);
  return named;
}

function sortByName(tensors: CanonicalTensor[]): CanonicalTensor[] {
  return tensors.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function finish(
  build: Build,
  tensors: CanonicalTensor[],
  rest: Pick<ModelWeights, 'family' | 'architecture' | 'format' | 'widths'>,
): ModelWeights {
  const { contents, listing } = build;
  return {
    ...rest,
    ...summariseValues(tensors),
    kind: 'full',
    container: contents.container,
    tensors,
    adapter: null,
    files: contents.files,
    metadata:
      rest.family === 'llama' ? contents.metadata : { ...contents.metadata, ...describeComponents(listing) },
    notes: contents.notes,
  };
}

function finishLlama(
  build: Build,
  named: ReadonlyMap<string, RawTensor>,
  config: Record<string, unknown> | null,
  rowMapOf: (name: string, raw: RawTensor) => RowMap | undefined = () => undefined,
): ModelWeights {
  const { contents } = build;
  const tensors: CanonicalTensor[] = [];
  for (const [name, raw] of named) {
    if (name === 'lm_head.weight' && isSameRegion(raw, named.get('model.embed_tokens.weight'))) {
      contents.notes.push('lm_head is tied to the embedding (one storage)');
      continue;
    }
    tensors.push(createCanonicalTensor(raw, name, { rowMap: rowMapOf(name, raw) }));
  }
  const sorted = sortByName(tensors);
  const absentNames = contents.absentNames.map((name) => fromHfLlamaName(name) ?? name);
  const stem = contents.container === 'safetensors' ? 'safetensors' : 'bin';
  return finish(build, sorted, {
    family: 'llama',
    architecture: readArchitecture(build.facts.config, 'LlamaForCausalLM'),
    format: contents.sharded ? `${stem}-sharded` : stem,
    widths: summariseLlamaWidths(sorted, config, absentNames),
  });
}

/** Pickles keep tied weights twice by name and once by storage; safetensors keep one. Equal models must look equal. */
function isSameRegion(a: RawTensor, b: RawTensor | undefined): boolean {
  if (b === undefined || !a.decodable || !b.decodable || a.shape.join() !== b.shape.join()) return false;
  const [first] = a.segmentRanges(0, 0, a.blockCols);
  const [second] = b.segmentRanges(0, 0, b.blockCols);
  return first?.file === second?.file && first?.offset === second?.offset;
}

function finishUnet(build: Build, named: ReadonlyMap<string, RawTensor>): ModelWeights {
  const tensors = sortByName([...named].map(([name, raw]) => createCanonicalTensor(raw, name)));
  return finish(build, tensors, {
    family: 'stable-diffusion',
    architecture: 'UNet2DConditionModel',
    format: build.candidate.format === 'single-file' ? 'single-file' : 'diffusers',
    widths: summariseUnetWidths(tensors),
  });
}

/**
 * Meta's own layout: rows of q and k are interleaved, and only head counts tell how. They stand in params.json (config.json as a
 * fallback); without them q and k are left out rather than read in the wrong order.
 */
async function buildMetaLlama(build: Build): Promise<ModelWeights> {
  const { candidate, contents, listing, repo } = build;
  if (contents.files.length > 1) {
    throw new HublineageError(
      'ContainerUnsupported',
      "Meta's model-parallel files hold slices of each tensor",
      {
        where: candidate.files[0],
        hint: 'a conversion to the transformers layout can be read',
      },
    );
  }
  const path = candidate.files[0] ?? '';
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  let config = build.facts.config ?? null;
  for (const name of ['params.json', 'config.json']) {
    if (readCount(config, 'n_heads', 'num_attention_heads') !== null) break;
    if (listing.some((file) => file.path === folder + name))
      config = await readJsonObject(repo, folder + name);
  }
  const heads = readCount(config, 'n_heads', 'num_attention_heads');
  const kvHeads = readCount(config, 'n_kv_heads', 'num_key_value_heads') ?? heads;
  const named = nameTensors(build, fromMetaLlamaName);
  const fits = [...named].every(([name, raw]) => {
    const kind = rotaryProjectionOf(name);
    const count = kind === 'q' ? heads : kvHeads;
    return kind === null || (count !== null && (raw.shape[0] ?? 0) % (2 * count) === 0);
  });
  if (!fits) {
    for (const name of [...named.keys()]) if (rotaryProjectionOf(name) !== null) named.delete(name);
    contents.notes.push(
      'q and k were left out: their row order needs head counts, which params.json does not tell',
    );
  }
  return finishLlama(build, named, config, (name, raw) => {
    const kind = rotaryProjectionOf(name);
    const count = kind === 'q' ? heads : kvHeads;
    return kind === null || count === null ? undefined : createInterleavedRowMap(raw.shape[0] ?? 0, count);
  });
}
