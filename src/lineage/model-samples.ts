import type { SampleLoader, TensorSample } from '../types/fingerprint.ts';

/** The samples of one model, ready to be compared: sorted by name, found by name. */
export interface ModelSamples {
  repo: string;
  tensors: readonly TensorSample[];
  byName: ReadonlyMap<string, TensorSample>;
}

/** Samples of few models kept in memory, the rest fetched in batches when asked for. */
export interface SampleCache {
  /** models without stored samples are missing from the answer */
  get(repos: readonly string[]): Promise<ReadonlyMap<string, ModelSamples>>;
}

export function toModelSamples(repo: string, tensors: readonly TensorSample[]): ModelSamples {
  const sorted = [...tensors].sort(compareNames);
  const byName = new Map<string, TensorSample>();
  for (const tensor of sorted) byName.set(tensor.name, tensor);
  return { repo, tensors: sorted, byName };
}

function compareNames(a: TensorSample, b: TensorSample): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** The largest family that is loaded whole, and some. */
const CACHED_MODELS = 1200;

/** Least recently used goes first; `capacity` models are kept besides those of the batch in hand. */
export function createSampleCache(load: SampleLoader, capacity = CACHED_MODELS): SampleCache {
  const kept = new Map<string, ModelSamples>();
  return {
    async get(repos) {
      const wanted = [...new Set(repos)];
      const found = new Map<string, ModelSamples>();
      const absent: string[] = [];
      for (const repo of wanted) {
        const model = kept.get(repo);
        if (!model) absent.push(repo);
        else {
          kept.delete(repo);
          kept.set(repo, model);
          found.set(repo, model);
        }
      }
      if (absent.length > 0) {
        const loaded = await load(absent);
        for (const repo of absent) {
          const tensors = loaded.get(repo);
          if (!tensors) continue;
          const model = toModelSamples(repo, tensors);
          kept.set(repo, model);
          found.set(repo, model);
        }
        for (const repo of kept.keys()) {
          if (kept.size <= capacity) break;
          kept.delete(repo);
        }
      }
      return found;
    },
  };
}
