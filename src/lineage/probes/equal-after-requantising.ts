import { toModelSamples } from '../model-samples.ts';
import { requantise } from '../quantised-from.ts';
import { type Probe, percent } from './probe.ts';

export const equalAfterRequantising: Probe = {
  name: 'equal-after-requantising',
  question: "Does quantising the candidate with the child's formula give the child's codes?",
  value: 'share of equal codes; without a formula, relative distance',
  source:
    'block formulas of llama.cpp (ggml-quants); distance in nats where a scheme is not round-to-nearest',
  ask({ child, parent, options }) {
    if (!child.model.fingerprint.quantized)
      return { outcome: 'not_applicable', detail: 'The child is not quantised.' };
    const found = requantise(
      toModelSamples('c', child.tensors),
      toModelSamples('p', parent.tensors),
      options.roundTrip ?? {},
    );
    if (found.compared < 256)
      return { outcome: 'not_available', detail: 'Its format cannot be reproduced from a formula.' };
    const equal = 1 - found.mismatches / found.compared;
    return {
      outcome: equal > 0.9 ? 'supports' : equal < 0.5 ? 'contradicts' : 'neutral',
      value: equal,
      logOdds: equal > 0.95 ? 4 : equal < 0.5 ? -4 : 0,
      detail: `Quantising the parent to ${found.formats.join(', ')} reproduces ${percent(equal, 2)} of ${found.compared} values.`,
    };
  },
};
