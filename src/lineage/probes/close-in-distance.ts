import { type Probe, percent } from './probe.ts';

export const closeInDistance: Probe = {
  name: 'close-in-distance',
  question: 'How far has the child moved?',
  value: 'relative distance |child − parent| / |parent|',
  source:
    'weight distance (Horwitz et al., "On the origin of Llamas", ICLR 2025); shown, weighed inside `branches-off-here`',
  ask({ pair }) {
    let squared = 0;
    let power = 0;
    for (const t of pair.tensors) {
      squared += t.squared;
      power += t.parentPower;
    }
    if (power === 0) return { outcome: 'not_available', detail: 'Nothing in common.' };
    const distance = Math.sqrt(squared / power);
    return {
      outcome: 'neutral',
      value: distance,
      detail: `Plain relative distance ${percent(distance, 2)} over ${pair.count} values, large tensors and norm gains counting most.`,
    };
  },
};
