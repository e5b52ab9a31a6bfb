import { findNearest } from '../types/did-you-mean.ts';
import { HublineageError } from '../types/errors.ts';
import type { SampleLoader } from '../types/fingerprint.ts';
import type { LineageModel, LineageResult } from '../types/lineage.ts';
import { BASELINES } from './baselines/index.ts';
import { inferHublineage } from './hublineage.ts';
import { PAPER_METHODS } from './methods/index.ts';
import type { LineageMethod, LineageOptions } from './options.ts';

const METHODS = new Map<string, LineageMethod>(
  [{ name: 'hublineage', infer: inferHublineage }, ...BASELINES, ...PAPER_METHODS].map((m) => [m.name, m]),
);

export const LINEAGE_METHODS: readonly string[] = [...METHODS.keys()];

/** ConfigInvalid for a name that is no method: to be asked before a night's work, not after it. */
export function checkLineageMethod(name: string): void {
  methodOf(name);
}

/**
 * Finds the parents of every model with the method named in the options. Pure: same models, samples and options, same result.
 * ConfigInvalid for an unknown method.
 */
export function inferLineage(
  models: readonly LineageModel[],
  load: SampleLoader,
  options: LineageOptions,
): Promise<LineageResult> {
  return methodOf(options.method).infer(models, load, options);
}

function methodOf(name: string): LineageMethod {
  const method = METHODS.get(name);
  if (method) return method;
  const nearest = findNearest(name, LINEAGE_METHODS);
  throw new HublineageError('ConfigInvalid', `unknown lineage method "${name}"`, {
    where: 'lineage.method',
    hint: `${nearest === null ? 'use' : `did you mean ${nearest}? There are:`} ${LINEAGE_METHODS.join(', ')}`,
  });
}
