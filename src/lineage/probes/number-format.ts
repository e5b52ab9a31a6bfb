import { FINENESS, readGrid } from '../number-grid.ts';
import { bothFull, NOT_FULL, OWN, type Probe } from './probe.ts';

export const numberFormat: Probe = {
  name: 'number-format',
  question: 'On which grids do the values lie?',
  value: 'steps of fineness lost',
  source: `${OWN}; orders casts, not fine-tunes, so it weighs nothing by itself`,
  ask(facts) {
    if (!bothFull(facts)) return NOT_FULL;
    const [a, b] = [readGrid(facts.child.tensors), readGrid(facts.parent.tensors)];
    return {
      outcome: 'neutral',
      value: FINENESS[b] - FINENESS[a],
      detail: `Values lie on the ${b} grid in the parent and on the ${a} grid in the child; this orders casts, not fine-tunes.`,
    };
  },
};
