import type { SampleLoader, TensorSample } from '../../../types/fingerprint.ts';
import { createNormal, createRandom, hashText } from '../../numeric/random.ts';

/**
 * `norm`: the fake initialisation is zero, so the parent is the model of smallest norm.
 * `drawn`: it is a draw from an ordinary initialiser. A draw is nearly orthogonal to every model, so both rules mostly agree; where the
 * norms of two models are close, the draw decides by chance.
 */
export type FakeInitialisation = 'norm' | 'drawn';

/** Standard deviation of the initialiser of Llama and of most transformers (`initializer_range`). */
const INITIAL_STD = 0.02;
/** models whose samples are in memory at once */
const BATCH = 64;
const TOKENS = /(?:^|\.)(?:embed_tokens|lm_head)\.weight$/;

/** Squared distances from the fake initialisation of one seed, in the order of the models. */
export type DistancesOf = (kind: FakeInitialisation, seed: number) => Promise<Float64Array>;

/**
 * Squared distance of each model from the fake initialisation: those trained longer lie farther out, so a parent lies nearest
 * (Neural Phylogeny, ICLR 2025). Weights that shrink in training break the rule; see docs/reference/methods.md.
 *
 * The rule needs paired positions and many of them (about 4 / r^2 for a step of relative size r), so it looks at all samples of the
 * matrices that every model has in the same shape, token rows left out since vocabularies differ. Where a model has no stored samples,
 * at the cores.
 */
export function createDistances(
  repos: readonly string[],
  cores: readonly Float32Array[],
  load: SampleLoader,
): DistancesOf {
  let common: Promise<ReadonlySet<string> | null> | null = null;
  return async (kind, seed) => {
    common ??= findCommonTensors(repos, load);
    const names = await common;
    if (names === null) {
      const normal = createNormal(createRandom(seed));
      const fake = cores[0]?.map(() => (kind === 'drawn' ? INITIAL_STD * normal() : 0));
      return Float64Array.from(cores, (core) => distanceTo(core, fake ?? null));
    }
    const fakes = new Map<string, Float32Array>();
    const fakeOf = (tensor: TensorSample): Float32Array | null => {
      if (kind === 'norm') return null;
      let fake = fakes.get(tensor.name);
      if (!fake) {
        const normal = createNormal(createRandom((hashText(tensor.name) ^ seed) >>> 0));
        fake = tensor.values.map(() => INITIAL_STD * normal());
        fakes.set(tensor.name, fake);
      }
      return fake;
    };
    const distances = new Float64Array(repos.length);
    for (let from = 0; from < repos.length; from += BATCH) {
      const batch = repos.slice(from, from + BATCH);
      const samples = await load(batch);
      batch.forEach((repo, i) => {
        for (const tensor of samples.get(repo) ?? [])
          if (names.has(keyOf(tensor))) distances[from + i]! += distanceTo(tensor.values, fakeOf(tensor));
      });
    }
    return distances;
  };
}

/** Names with lengths of the matrices all models have; null when one has no samples or they have none in common. */
async function findCommonTensors(
  repos: readonly string[],
  load: SampleLoader,
): Promise<ReadonlySet<string> | null> {
  let common: Set<string> | null = null;
  for (let from = 0; from < repos.length; from += BATCH) {
    const batch = repos.slice(from, from + BATCH);
    const samples = await load(batch);
    for (const repo of batch) {
      const tensors = samples.get(repo);
      if (!tensors) return null;
      const keys = new Set(
        tensors.filter(({ name, shape }) => shape.length > 1 && !TOKENS.test(name)).map(keyOf),
      );
      common = common === null ? keys : common.intersection(keys);
    }
  }
  return common === null || common.size === 0 ? null : common;
}

const keyOf = ({ name, values }: TensorSample) => `${name}|${values.length}`;

function distanceTo(values: Float32Array, fake: Float32Array | null): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    // overflown halves
    if (!Number.isFinite(x)) continue;
    const d = fake === null ? x : x - fake[i]!;
    sum += d * d;
  }
  return sum;
}

/** The member nearest to the initialisation; the first of equals. */
export function nearestToInitialisation(members: readonly number[], distances: Float64Array): number {
  let best = members[0]!;
  for (const i of members) if (distances[i]! < distances[best]!) best = i;
  return best;
}
