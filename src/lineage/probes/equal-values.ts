import { haveEqualValues } from '../copies.ts';
import { toModelSamples } from '../model-samples.ts';
import { bothFull, NOT_FULL, OWN, type Probe } from './probe.ts';

export const equalValues: Probe = {
  name: 'equal-values',
  question: 'Are all sampled values equal, whatever container they lie in?',
  value: '1 = yes',
  source: OWN,
  ask(facts) {
    if (!bothFull(facts)) return NOT_FULL;
    const equal = haveEqualValues(
      toModelSamples('a', facts.child.tensors),
      toModelSamples('b', facts.parent.tensors),
    );
    return equal
      ? { outcome: 'supports', value: 1, logOdds: 6, detail: 'All sampled values are equal.' }
      : { outcome: 'neutral', value: 0, detail: 'Not all sampled values are equal.' };
  },
};
