import { OWN, type Probe } from './probe.ts';

export const untouchedTensors: Probe = {
  name: 'untouched-tensors',
  question: 'Were whole tensors left as they were?',
  value: 'share of tensors',
  source: `${OWN}: frozen tensors as shared characters, as in cladistics`,
  ask({ pair }) {
    const whole = pair.tensors.filter((t) => t.count > 0 && t.equal === t.count).length;
    if (pair.tensors.length === 0) return { outcome: 'not_available', detail: 'Nothing in common.' };
    return {
      outcome: whole > 0 ? 'supports' : 'neutral',
      value: whole / pair.tensors.length,
      logOdds: whole > 2 ? 2 : 0,
      detail: `${whole} of ${pair.tensors.length} common tensors were left as they were.`,
    };
  },
};
