import { DEFAULT_SAMPLING } from '../src/fingerprint/index.ts';
import type { Fingerprint } from '../src/types/fingerprint.ts';
import { measureCoreDistance, measureDistance, type SampledDistance } from './lib/sampled-distance.ts';
import { loadZoo, type Zoo } from './lib/zoo.ts';

/**
 * `node bench/sampling.ts ZOO`: would more values a matrix find more parents? For several densities, and for the core alone: how often
 * the nearest model is the true parent (direction given: a model's descendants are not candidates), and how far apart related and
 * unrelated models are. One JSON line a density.
 */
const DENSITIES = [256, 512, 1024, 4096, 2 ** 20];

interface Model {
  repo: string;
  createdAt: number;
  fingerprint: Fingerprint;
}
type Measure = (a: Fingerprint, b: Fingerprint) => SampledDistance;

function evaluate(models: readonly Model[], truth: Zoo['truth'], measure: Measure) {
  const parentOf = (repo: string) => truth[repo]?.parents[0];
  const relationOf = (repo: string) => truth[repo]?.relation ?? '';
  const original = (repo: string): string =>
    ['duplicate', 'cast'].includes(relationOf(repo)) ? original(parentOf(repo) ?? repo) : repo;
  const lineOf = (repo: string): string[] => {
    const parent = parentOf(repo);
    return parent === undefined ? [repo] : [repo, ...lineOf(parent)];
  };
  const result = {
    children: 0,
    nearest: 0,
    nearestEarlier: 0,
    minRelatedCosine: 1,
    maxUnrelatedZ: 0,
    values: 0,
  };
  for (const child of models) {
    const candidates = models
      .filter((other) => other !== child && other.fingerprint.coreKey === child.fingerprint.coreKey)
      .map((other) => ({ ...other, ...measure(child.fingerprint, other.fingerprint) }));
    if (relationOf(child.repo) !== 'laundered')
      for (const { repo, cosine, values } of candidates) {
        if (relationOf(repo) === 'laundered') continue;
        result.values = Math.max(result.values, values);
        if (lineOf(repo).at(-1) === lineOf(child.repo).at(-1))
          result.minRelatedCosine = Math.min(result.minRelatedCosine, cosine);
        else result.maxUnrelatedZ = Math.max(result.maxUnrelatedZ, Math.abs(cosine) * Math.sqrt(values));
      }
    const parent = parentOf(child.repo);
    const isChild = ['finetune', 'quantized'].includes(relationOf(child.repo));
    if (
      !isChild ||
      parent === undefined ||
      !candidates.some(({ repo }) => original(repo) === original(parent))
    )
      continue;
    const possible = candidates
      .filter(({ repo }) => !lineOf(repo).includes(child.repo) && relationOf(repo) !== 'quantized')
      .sort((a, b) => a.squared - b.squared);
    const isParent = (found: { repo: string } | undefined) =>
      found !== undefined && original(found.repo) === original(parent);
    result.children++;
    if (isParent(possible[0])) result.nearest++;
    if (isParent(possible.find(({ createdAt }) => createdAt <= child.createdAt))) result.nearestEarlier++;
  }
  return result;
}

async function loadModels(
  dir: string,
  valuesPerTensor: number,
): Promise<{ models: Model[]; truth: Zoo['truth'] }> {
  const sampling = { ...DEFAULT_SAMPLING, valuesPerTensor, maxBytes: 2 ** 30, maxRequests: 10_000 };
  const { models, truth } = await loadZoo(dir, { sampling });
  const full = models.flatMap(({ repo, createdAt, fingerprint }) =>
    fingerprint?.kind === 'full' ? [{ repo, createdAt, fingerprint }] : [],
  );
  return { models: full, truth };
}

const [dir] = process.argv.slice(2);
if (dir === undefined) {
  process.stderr.write('usage: node bench/sampling.ts ZOO\n');
  process.exit(64);
}
const print = (row: object) => process.stdout.write(`${JSON.stringify(row)}\n`);
for (const valuesPerTensor of DENSITIES) {
  const { models, truth } = await loadModels(dir, valuesPerTensor);
  if (valuesPerTensor === DEFAULT_SAMPLING.valuesPerTensor)
    print({ sampled: 'core', ...evaluate(models, truth, (a, b) => measureCoreDistance(a.core, b.core)) });
  print({
    sampled: valuesPerTensor === 2 ** 20 ? 'whole' : valuesPerTensor,
    ...evaluate(models, truth, (a, b) => measureDistance(a.tensors, b.tensors)),
  });
}
