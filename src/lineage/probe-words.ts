import { PROBES } from './probes/index.ts';
import { OWN, type ProbeWords } from './probes/probe.ts';

/** What a probe says of itself, under its name. */
function wordsOf(name: string): Record<string, ProbeWords> {
  const { question, value, source } = PROBES.find((probe) => probe.name === name)!;
  return { [name]: { question, value, source } };
}

/** Every name `edge_evidence.probe` can hold. Names of literature methods appear as one probe each, with the method's own score as value. */
export const PROBE_WORDS: Readonly<Record<string, ProbeWords>> = {
  ...wordsOf('same-files'),
  ...wordsOf('equal-values'),
  ...wordsOf('equal-after-rounding'),
  ...wordsOf('equal-after-requantising'),
  ...wordsOf('related-beyond-chance'),
  ...wordsOf('close-in-distance'),
  ...wordsOf('exact-values-kept'),
  ...wordsOf('untouched-tensors'),
  'branches-off-here': {
    question:
      'Do the distances, and the values that were left as they were, place the child directly below this model rather than below another?',
    value: null,
    source: `${OWN}: squared distances add along the paths of a tree, so three of them tell where a model leaves an edge; log-likelihood over tensors; where they leave less than 6 nats, runs of values kept bit by bit are counted too`,
  },
  'has-many-children': {
    question: 'Is the candidate a model that many others were made from?',
    value: 'other children',
    source: 'preferential attachment; the tree prior of Horwitz et al. ("Model Atlas", 2025)',
  },
  'learned-detector-agrees': {
    question: 'Does the learned phylogeny detector name this model too? Off unless weights are handed in.',
    value: null,
    source: `${OWN}: a transformer over the family, see detectors.md; measured by bench/detector.ts`,
  },
  'turns-the-branch-around': {
    question: 'Would other edges have to turn around for it?',
    value: null,
    source: `${OWN}: price of the best tree that holds this edge`,
  },
  ...wordsOf('created-before'),
  ...wordsOf('vocabulary-grew'),
  ...wordsOf('number-format'),
  ...wordsOf('smaller-norm'),
  ...wordsOf('kurtosis-fell'),
  'mixture-of-parents': {
    question: 'Is the child a weighted mean of several models, up to rounding?',
    value: 'residual in units of the rounding floor',
    source: `${OWN}: non-negative least squares (Lawson and Hanson, 1974) on deltas, against what rounding alone leaves and against the stored values one by one`,
  },
  'elements-from-parents': {
    question: "Is every value's step none, one parent's, or the sum of several, at a fixed scale?",
    value: 'log-likelihood ratio over the likeliest fine-tune',
    source:
      'what DARE (Yu et al., ICML 2024) and TIES (Yadav et al., NeurIPS 2023) do to steps, held against rounding',
  },
  'weight-in-mixture': {
    question: 'How large is its share in the mixture?',
    value: 'weight',
    source: 'the same least squares',
  },
  ...wordsOf('layers-repeated-or-dropped'),
  ...wordsOf('same-after-permutation'),
  ...wordsOf('adapter-shapes-fit'),
  'adapter-fits-outputs': {
    question: "Does the adapter write where this family's output projection reads?",
    value: 'standard errors over chance',
    source: `${OWN}: gradients of value factors come back through the output projection`,
  },
  'hub-is-missing': {
    question: 'Is the real parent a model that is not in the index?',
    value: "mean of median and lower quartile of the cosines between its children's steps",
    source: `${OWN}: seen from the true parent, steps to its children are nearly orthogonal`,
  },
  behaviour: {
    question:
      'Do the two complete prompts alike? Shown where they were compared; worth nothing, whatever the answer.',
    value: "Nei's similarity, 0 to 1",
    source: 'PhyloLM (Yax, Oudeyer and Palminteri, ICLR 2025); kept by `hublineage phylolm --save`',
  },
  rivals: {
    question: 'Price of the other candidates that fit nearly as well.',
    value: null,
    source: 'conditional logit over candidates',
  },
  direction: {
    question:
      'Price of the chance that the edge points the other way, or that the real parent is not in the index.',
    value: null,
    source: 'evidence for the root, pooled over the family',
  },
  calibration: {
    question: 'Difference between raw and calibrated log-odds, cap included.',
    value: null,
    source: 'logistic (Platt) calibration on generated families and zoos trained for it',
  },
};
