import { OWN, type Probe, percent } from './probe.ts';

export const exactValuesKept: Probe = {
  name: 'exact-values-kept',
  question: 'Were more values left bit-equal than chance leaves?',
  value: 'share of bit-equal values',
  source: `${OWN}: models trained apart share about 0.1 % of bfloat16 values`,
  ask({ pair }) {
    if (pair.count === 0) return { outcome: 'not_available', detail: 'Nothing in common.' };
    const share = pair.equal / pair.count;
    return {
      outcome: share > 0.05 ? 'supports' : 'neutral',
      value: share,
      logOdds: share > 0.05 ? 2 : 0,
      detail: `${percent(share)} of common values are bit-equal; models trained apart share about 0.1 %.`,
    };
  },
};
