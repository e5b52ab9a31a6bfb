import type { Probe } from './probe.ts';

export const smallerNorm: Probe = {
  name: 'smaller-norm',
  question: "Is the child's norm the larger one?",
  value: 'standard deviations',
  source: 'min-norm rule of Yu and Wang ("Neural Phylogeny", ICLR 2025), capped at what its z-score is worth',
  ask({ pair }) {
    // z = r sqrt(n) / 2 at best, reversed by any shrinkage: a weak vote, capped at what it has been found worth
    let gap = 0;
    let noise = 0;
    for (const t of pair.tensors) {
      if (t.vector) continue;
      gap += (t.childPower - t.parentPower) / (t.parentPower || 1);
      noise += (4 * t.squared) / (t.parentPower || 1) / Math.max(1, t.count);
    }
    if (noise === 0) return { outcome: 'not_applicable', detail: 'No difference to weigh.' };
    const z = gap / Math.sqrt(noise);
    return {
      outcome: Math.abs(z) < 2 ? 'neutral' : z > 0 ? 'supports' : 'contradicts',
      value: z,
      logOdds: Math.max(-0.5, Math.min(0.5, 0.1 * z)),
      detail: `The child's norm is ${z > 0 ? 'larger' : 'smaller'} (${Math.abs(z).toFixed(1)} sd); weight decay reverses this rule.`,
    };
  },
};
