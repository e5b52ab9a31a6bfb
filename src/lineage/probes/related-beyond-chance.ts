import { relatedness } from '../relatedness.ts';
import type { Probe } from './probe.ts';

export const relatedBeyondChance: Probe = {
  name: 'related-beyond-chance',
  question: 'Are the weights related at all?',
  value: 'cosine, each tensor centred and scaled',
  source:
    'cosine against its null N(0, 1/n) of independent training (after Zhu et al., "Independence tests for language models", ICML 2025)',
  ask({ child, parent }) {
    const found = relatedness(
      { summary: child.model.fingerprint, tensors: child.tensors },
      { summary: parent.model.fingerprint, tensors: parent.tensors },
      { pairs: 1000 },
    );
    if (found.outcome === 'incomparable' || found.cosine === null || found.nullSd === null)
      return { outcome: 'not_available', detail: 'No matrices of equal shape in common.' };
    const z = found.cosine / found.nullSd;
    return {
      outcome:
        found.outcome === 'related' ? 'supports' : found.outcome === 'unrelated' ? 'contradicts' : 'neutral',
      value: found.cosine,
      logOdds: found.outcome === 'related' ? 3 : found.outcome === 'unrelated' ? -6 : 0,
      detail: `Cosine ${found.cosine.toFixed(3)} over ${found.commonValues} values, ${z.toFixed(1)} standard deviations from chance.`,
    };
  },
};
