import { HublineageError } from '../../../types/errors.ts';
import type { LineageMethod, LineageOptions } from '../../options.ts';
import type { PairScorer } from '../pair-scorer.ts';
import { toLineageMethod } from '../to-lineage-method.ts';

/** A detector as a way of finding parents, with the weights of `options.detectors`. ConfigInvalid without them. */
export function createDetectorMethod<Model>(
  name: string,
  modelOf: (detectors: NonNullable<LineageOptions['detectors']>) => Model | undefined,
  createScorer: (model: Model) => PairScorer,
  training: string,
): LineageMethod {
  return {
    name,
    infer(models, load, options) {
      const model = modelOf(options.detectors ?? {});
      if (!model)
        throw new HublineageError('ConfigInvalid', `the ${name.replace('-', ' ')} has no weights`, {
          where: 'lineage.method',
          hint: `train it with \`${training}\`, or use another method`,
        });
      return toLineageMethod(createScorer(model)).infer(models, load, options);
    },
  };
}
