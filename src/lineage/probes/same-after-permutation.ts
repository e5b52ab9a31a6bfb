import { isPermuted, recoverPermutation } from '../disguise/recover-permutation.ts';
import { toModelSamples } from '../model-samples.ts';
import { bothFull, NOT_FULL, type Probe, percent } from './probe.ts';

export const sameAfterPermutation: Probe = {
  name: 'same-after-permutation',
  question: 'Does one permutation of the units turn one model into the other?',
  value: 'share of units matched',
  source: 'norm gains and sorted row norms, which no order changes (after Zeng et al., "AWM", ICLR 2026)',
  ask(facts) {
    if (!bothFull(facts)) return NOT_FULL;
    const found = recoverPermutation(
      toModelSamples('c', facts.child.tensors),
      toModelSamples('p', facts.parent.tensors),
    );
    if (!found) return { outcome: 'not_available', detail: 'Too few norm gains to match units by.' };
    return isPermuted(found)
      ? {
          outcome: 'supports',
          value: found.matched,
          logOdds: 4,
          detail: `One permutation of all hidden units matches ${percent(found.matched, 0)} of them by their norm gains.`,
        }
      : { outcome: 'neutral', value: found.matched, detail: 'No permutation of hidden units is seen.' };
  },
};
