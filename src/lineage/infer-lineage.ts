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

/**
 * Finds the parents of every model with the method named in the options. Pure: same models, samples and options, same result.
 * ConfigInvalid for an unknown method.
 */
export function inferLineage(
  models: readonly LineageModel[],
  load: SampleLoader,
  options: LineageOptions,
): Promise<LineageResult> {
  const method = METHODS.get(options.method);
  if (!method)
    throw new HublineageError('ConfigInvalid', `unknown lineage method "${options.method}"`, {
      where: 'lineage.method',
      hint: `use one of ${LINEAGE_METHODS.join(', ')}`,
    });
  return method.infer(models, load, options);
}
