import type { LicenceStep } from './document.ts';

/** Generations shown; longer paths are cut, cycles end. */
const MAX_STEPS = 32;

/**
 * Licences along the inferred path, from the model up to its root, as a fact for readers: no judgement on whether they fit together.
 * For a merge the path follows the first parent `parentOf` gives.
 */
export function licenceChain(
  repo: string,
  parentOf: (repo: string) => string | null,
  licenceOf: (repo: string) => string | null,
): LicenceStep[] {
  const steps: LicenceStep[] = [];
  const seen = new Set<string>();
  for (
    let at: string | null = repo;
    at !== null && !seen.has(at) && steps.length < MAX_STEPS;
    at = parentOf(at)
  ) {
    seen.add(at);
    steps.push({ repo: at, licence: licenceOf(at) });
  }
  return steps;
}
