import { toModelSamples } from '../model-samples.ts';
import { shapesFit, shapesOf } from '../place-adapters.ts';
import { OWN, type Probe } from './probe.ts';

export const adapterShapesFit: Probe = {
  name: 'adapter-shapes-fit',
  question: 'Has the base the matrices the adapter targets, in their shapes?',
  value: '1 = yes',
  source: OWN,
  ask({ child, parent }) {
    if (child.model.fingerprint.kind !== 'adapter')
      return { outcome: 'not_applicable', detail: 'The child is not an adapter.' };
    const fits = shapesFit(child.model, shapesOf(toModelSamples('p', parent.tensors)));
    return fits
      ? {
          outcome: 'supports',
          value: 1,
          logOdds: 1,
          detail: 'The matrices the adapter targets have these shapes here.',
        }
      : {
          outcome: 'contradicts',
          value: 0,
          logOdds: -6,
          detail: 'The matrices the adapter targets have other shapes here, or are missing.',
        };
  },
};
