import { alignLayers } from '../depth/align-layers.ts';
import { toModelSamples } from '../model-samples.ts';
import { bothFull, OWN, type Probe } from './probe.ts';

export const layersRepeatedOrDropped: Probe = {
  name: 'layers-repeated-or-dropped',
  question: "Do the child's layers align with the parent's, some repeated or left out?",
  value: 'standard deviations from chance',
  source: `${OWN}: dynamic programming over cosines of layers`,
  ask(facts) {
    const [a, b] = [
      facts.child.model.fingerprint.widths.layers,
      facts.parent.model.fingerprint.widths.layers,
    ];
    if (!bothFull(facts) || a === null || b === null || a === b)
      return { outcome: 'not_applicable', detail: 'Both have the same number of layers.' };
    const found = alignLayers(
      toModelSamples('c', facts.child.tensors),
      toModelSamples('p', facts.parent.tensors),
    );
    if (!found) return { outcome: 'not_available', detail: 'The layers have other shapes.' };
    return {
      outcome: found.z > 8 ? 'supports' : 'contradicts',
      value: found.z,
      logOdds: found.z > 8 ? 5 : -5,
      detail: `Best alignment of layers: ${found.map.join(', ')}, ${found.z.toFixed(1)} sd from chance.`,
    };
  },
};
