import type { SampleLoader, TensorSample } from '../../src/types/fingerprint.ts';

/** Samples that are in memory, as inference asks for them: models without any are missing from the answer. */
export function loaderOf(samples: ReadonlyMap<string, TensorSample[]>): SampleLoader {
  return async (repos) =>
    new Map(
      repos.flatMap((repo) => {
        const tensors = samples.get(repo);
        return tensors === undefined ? [] : [[repo, tensors] as const];
      }),
    );
}
