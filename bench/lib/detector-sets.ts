import { toImages } from '../../src/lineage/methods/learned/lineage/images.ts';
import type { LabelledImages } from '../../src/lineage/methods/learned/lineage/train.ts';
import { findRelatedSets, toSetTable } from '../../src/lineage/methods/learned/phylogeny/related-sets.ts';
import type { LabelledSet } from '../../src/lineage/methods/learned/phylogeny/train.ts';
import { toModelSamples } from '../../src/lineage/model-samples.ts';
import { createRandom } from '../../src/lineage/numeric/random.ts';
import type { TensorSample } from '../../src/types/fingerprint.ts';
import type { LineageModel } from '../../src/types/lineage.ts';
import { type FamiliesOptions, type GeneratedHub, generateFamilies } from './families.ts';
import { trueRoot } from './truth.ts';
import type { Zoo } from './zoo.ts';

/** Measured sets of any models whose parents are known. `familyOf` names the true family, by which sets are split later. */
function labelSets(
  models: readonly LineageModel[],
  samples: ReadonlyMap<string, TensorSample[]>,
  parentsOf: (repo: string) => readonly string[],
  familyOf: (repo: string) => string,
): LabelledSet[] {
  const known = new Map([...samples].map(([repo, tensors]) => [repo, toModelSamples(repo, tensors)]));
  return findRelatedSets(models, 1).flatMap((set) => {
    const table = toSetTable(set, known);
    if (table === null) return [];
    const place = new Map(table.repos.map((repo, i) => [repo, i]));
    return {
      family: [...new Set(table.repos.map(familyOf))].sort().join('+'),
      table,
      parents: table.repos.map((repo) => parentsOf(repo).flatMap((parent) => place.get(parent) ?? [])),
    };
  });
}

/** Families over the whole range the generator knows, so that what is learned holds for more than one recipe. */
export function drawFamilies(seed: number): FamiliesOptions {
  const random = createRandom(seed * 2654435761);
  const between = (low: number, high: number) => low + (high - low) * random();
  const whole = (low: number, high: number) => Math.floor(between(low, high + 1));
  return {
    seed,
    families: 1,
    size: random() < 0.08 ? 44 : whole(4, 30),
    valuesPerTensor: [64, 128, 256, 512][whole(0, 3)]!,
    layers: whole(2, 5),
    hidden: [32, 48, 64, 96][whole(0, 3)]!,
    step: Math.exp(between(Math.log(0.003), Math.log(0.06))),
    stepSpread: between(0.4, 1.3),
    siblingCosine: random() < 0.3 ? between(0.1, 0.4) : between(0, 0.1),
    attachment: between(0, 1.8),
    wrongTimes: random() < 0.3 ? 0.06 : 0.003,
    missingRoots: 0.12,
    shares: {
      duplicate: between(0, 0.12),
      cast: between(0, 0.12),
      quantized: between(0, 0.12),
      merge: between(0, 0.2),
      upscaled: 0,
      pruned: 0,
      transformed: 0,
      adapter: 0,
    },
  };
}

/** The same models as images, for Neural Lineage's detector. */
function labelImages(
  models: readonly LineageModel[],
  samples: ReadonlyMap<string, TensorSample[]>,
  parentsOf: (repo: string) => readonly string[],
  familyOf: (repo: string) => string,
): LabelledImages[] {
  return findRelatedSets(models, 1).flatMap((set) => {
    const present = set.models.filter((m) => samples.has(m.repo));
    const images = toImages(
      present,
      present.map((m) => toModelSamples(m.repo, samples.get(m.repo)!)),
    );
    if (images === null) return [];
    const place = new Map(images.repos.map((repo, i) => [repo, i]));
    return {
      family: [...new Set(images.repos.map(familyOf))].sort().join('+'),
      images,
      parents: images.repos.map((repo) => parentsOf(repo).flatMap((parent) => place.get(parent) ?? [])),
    };
  });
}

/** Smaller families than the other detector's: an image takes more room than a row of measures. */
export function generatedImages(seeds: readonly number[]): LabelledImages[] {
  return seeds.flatMap((seed) => {
    const hub = generateFamilies({ ...drawFamilies(seed), size: 5 + (seed % 11) });
    return labelImages(
      hub.models,
      hub.samples,
      (repo) => hub.truth.get(repo)?.parents ?? [],
      () => `generated-${seed}`,
    );
  });
}

export function generatedSets(seeds: readonly number[]): LabelledSet[] {
  return seeds.flatMap((seed) => {
    const hub = generateFamilies(drawFamilies(seed));
    disturbTimes(hub, seed);
    return labelSets(
      hub.models,
      hub.samples,
      (repo) => hub.truth.get(repo)?.parents ?? [],
      () => `generated-${seed}`,
    );
  });
}

/** Repos get deleted and re-created, whole families are uploaded in a day: time must never be all there is to go by. */
function disturbTimes({ models, truth }: GeneratedHub, seed: number): void {
  const random = createRandom(seed + 77);
  const kind = random();
  const times = models.map((m) => m.createdAt).sort((a, b) => a - b);
  const anyTime = () => times[Math.floor(random() * times.length)]! + 3_600_000 * 5;
  const parents = new Set([...truth.values()].flatMap((row) => row.parents));
  if (kind < 0.3) {
    const made = models.filter((m) => parents.has(m.repo));
    const again = made[Math.floor(random() * Math.min(2, made.length))];
    if (again) again.createdAt = anyTime();
  } else if (kind < 0.4) for (const m of models) m.createdAt = times[0]! + Math.floor(random() * 3) * 600_000;
  else if (kind < 0.5) for (const m of models) if (random() < 0.3) m.createdAt = anyTime();
}

export function zooSets(zoo: Zoo): LabelledSet[] {
  return labelSets(...zooModels(zoo));
}

export function zooImages(zoo: Zoo): LabelledImages[] {
  return labelImages(...zooModels(zoo));
}

function zooModels(zoo: Zoo): Parameters<typeof labelSets> {
  const present = zoo.models.filter((m) => m.fingerprint !== null);
  return [
    present.map(({ repo, owner, createdAt, fingerprint }) => ({
      repo,
      owner,
      createdAt,
      fingerprint: fingerprint!,
    })),
    new Map(present.map((m) => [m.repo, m.fingerprint!.tensors])),
    (repo) => zoo.truth[repo]?.parents ?? [],
    (repo) => trueRoot(zoo.truth as never, repo),
  ];
}
