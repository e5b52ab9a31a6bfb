import { findCast } from '../casts.ts';
import { toModelSamples } from '../model-samples.ts';
import { OWN, type Probe } from './probe.ts';

export const equalAfterRounding: Probe = {
  name: 'equal-after-rounding',
  question: "Are the child's values the parent's, rounded to a coarser number format?",
  value: 'share of values that agree',
  source: `${OWN}: rounding cannot be undone, so the finer grid is the source`,
  ask({ child, parent }) {
    const cast = findCast(
      child.model,
      toModelSamples(child.model.repo, child.tensors),
      parent.model,
      toModelSamples(parent.model.repo, parent.tensors),
    );
    if (!cast)
      return {
        outcome: 'neutral',
        value: null,
        detail: 'Neither is the other rounded to a coarser format.',
      };
    return cast.child === child.model.repo
      ? { outcome: 'supports', value: cast.agreement, logOdds: 6, detail: cast.detail }
      : {
          outcome: 'contradicts',
          value: cast.agreement,
          logOdds: -6,
          detail: `The other way round: ${cast.detail}`,
        };
  },
};
