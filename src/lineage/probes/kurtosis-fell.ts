import type { Probe } from './probe.ts';

export const kurtosisFell: Probe = {
  name: 'kurtosis-fell',
  question: 'Did the kurtosis of the weights fall?',
  value: 'mean change of kurtosis',
  source:
    'direction rule of MoTHer (Horwitz et al., ICLR 2025); shown, not weighed: its sign differs between populations',
  ask({ child, parent }) {
    const byName = new Map(parent.tensors.map((t) => [t.name, t]));
    const gaps = child.tensors.flatMap((t) => {
      const other = byName.get(t.name);
      return other && t.shape.length > 1 ? [t.stats.kurtosis - other.stats.kurtosis] : [];
    });
    if (gaps.length === 0) return { outcome: 'not_available', detail: 'Nothing in common.' };
    const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
    return {
      outcome: 'neutral',
      value: mean,
      detail: `Kurtosis ${mean <= 0 ? 'fell' : 'rose'} by ${Math.abs(mean).toFixed(4)} on average; the sign of this rule differs between populations, so it is not weighed.`,
    };
  },
};
