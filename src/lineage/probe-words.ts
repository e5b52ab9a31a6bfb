export interface ProbeWords {
  /** the question it answers by yes or no, or the price it stands for */
  question: string;
  /** unit of `value`; null where it has none */
  value: string | null;
  /** where its formula comes from */
  source: string;
}

const OWN = 'this project';

/** Every name `edge_evidence.probe` can hold. Names of literature methods appear as one probe each, with the method's own score as value. */
export const PROBE_WORDS: Readonly<Record<string, ProbeWords>> = {
  'same-files': {
    question: 'Do both hold the same weight files?',
    value: '1 = yes',
    source: 'SHA-256 of every weight file, public on the Hub even for gated repos',
  },
  'equal-values': {
    question: 'Are all sampled values equal, whatever container they lie in?',
    value: '1 = yes',
    source: OWN,
  },
  'equal-after-rounding': {
    question: "Are the child's values the parent's, rounded to a coarser number format?",
    value: 'share of values that agree',
    source: `${OWN}: rounding cannot be undone, so the finer grid is the source`,
  },
  'equal-after-requantising': {
    question: "Does quantising the candidate with the child's formula give the child's codes?",
    value: 'share of equal codes; without a formula, relative distance',
    source:
      'block formulas of llama.cpp (ggml-quants); distance in nats where a scheme is not round-to-nearest',
  },
  'related-beyond-chance': {
    question: 'Are the weights related at all?',
    value: 'cosine, each tensor centred and scaled',
    source:
      'cosine against its null N(0, 1/n) of independent training (after Zhu et al., "Independence tests for language models", ICML 2025)',
  },
  'close-in-distance': {
    question: 'How far has the child moved?',
    value: 'relative distance |child − parent| / |parent|',
    source:
      'weight distance (Horwitz et al., "On the origin of Llamas", ICLR 2025); shown, weighed inside `branches-off-here`',
  },
  'exact-values-kept': {
    question: 'Were more values left bit-equal than chance leaves?',
    value: 'share of bit-equal values',
    source: `${OWN}: models trained apart share about 0.1 % of bfloat16 values`,
  },
  'untouched-tensors': {
    question: 'Were whole tensors left as they were?',
    value: 'share of tensors',
    source: `${OWN}: frozen tensors as shared characters, as in cladistics`,
  },
  'branches-off-here': {
    question: 'Do the distances place the child directly below this model rather than below another?',
    value: null,
    source: `${OWN}: squared distances add along the paths of a tree, so three of them tell where a model leaves an edge; log-likelihood over tensors`,
  },
  'has-many-children': {
    question: 'Is the candidate a model that many others were made from?',
    value: 'other children',
    source: 'preferential attachment; the tree prior of Horwitz et al. ("Model Atlas", 2025)',
  },
  'turns-the-branch-around': {
    question: 'Would other edges have to turn around for it?',
    value: null,
    source: `${OWN}: price of the best tree that holds this edge`,
  },
  'created-before': {
    question: 'Did the candidate exist before the child?',
    value: 'days before the child',
    source: "the Hub's dates, as likelihood: repos are re-created now and then",
  },
  'vocabulary-grew': {
    question: 'Did the vocabulary stay or grow from parent to child?',
    value: 'tokens gained',
    source: `${OWN}: tokens are added by fine-tuning, hardly ever removed`,
  },
  'number-format': {
    question: 'On which grids do the values lie?',
    value: 'steps of fineness lost',
    source: `${OWN}; orders casts, not fine-tunes, so it weighs nothing by itself`,
  },
  'smaller-norm': {
    question: "Is the child's norm the larger one?",
    value: 'standard deviations',
    source:
      'min-norm rule of Yu and Wang ("Neural Phylogeny", ICLR 2025), capped at what its z-score is worth',
  },
  'kurtosis-fell': {
    question: 'Did the kurtosis of the weights fall?',
    value: 'mean change of kurtosis',
    source:
      'direction rule of MoTHer (Horwitz et al., ICLR 2025); shown, not weighed: its sign differs between populations',
  },
  'mixture-of-parents': {
    question: 'Is the child a weighted mean of several models, up to rounding?',
    value: 'residual in units of the rounding floor',
    source: `${OWN}: non-negative least squares (Lawson and Hanson, 1974) on deltas, against what rounding alone leaves`,
  },
  'weight-in-mixture': {
    question: 'How large is its share in the mixture?',
    value: 'weight',
    source: 'the same least squares',
  },
  'layers-repeated-or-dropped': {
    question: "Do the child's layers align with the parent's, some repeated or left out?",
    value: 'standard deviations from chance',
    source: `${OWN}: dynamic programming over cosines of layers`,
  },
  'same-after-permutation': {
    question: 'Does one permutation of the units turn one model into the other?',
    value: 'share of units matched',
    source: 'norm gains and sorted row norms, which no order changes (after Zeng et al., "AWM", ICLR 2026)',
  },
  'adapter-shapes-fit': {
    question: 'Has the base the matrices the adapter targets, in their shapes?',
    value: '1 = yes',
    source: OWN,
  },
  'adapter-fits-outputs': {
    question: "Does the adapter write where this family's output projection reads?",
    value: 'standard errors over chance',
    source: `${OWN}: gradients of value factors come back through the output projection`,
  },
  'hub-is-missing': {
    question: 'Is the real parent a model that is not in the index?',
    value: "median cosine of its children's steps",
    source: `${OWN}: seen from the true parent, steps to its children are nearly orthogonal`,
  },
  rivals: {
    question: 'Price of the other candidates that fit nearly as well.',
    value: null,
    source: 'conditional logit over candidates',
  },
  direction: {
    question: 'Price of the chance that the edge points the other way.',
    value: null,
    source: 'evidence for the root, pooled over the family',
  },
  calibration: {
    question: 'Difference between raw and calibrated log-odds, cap included.',
    value: null,
    source: 'logistic (Platt) calibration on generated families and half of a zoo',
  },
};
