import type { LineageMethod } from '../options.ts';
import { PHYLOGENY_SCORERS } from './clustering/phylogeny-scorers.ts';
import { lineageDetector, phylogenyDetector } from './learned/index.ts';
import type { PairScorer } from './pair-scorer.ts';
import { SIMILARITY_SCORERS } from './similarity/similarity-scorers.ts';
import { nameTheBest, toLineageMethod } from './to-lineage-method.ts';

export type { PairScorer, PairScorerOptions, ScoredPair } from './pair-scorer.ts';
export { toLineageMethod } from './to-lineage-method.ts';

/** The literature's scorers of pairs, by name. */
export const PAIR_SCORERS: readonly PairScorer[] = [...PHYLOGENY_SCORERS, ...SIMILARITY_SCORERS];

/** The same as ways of finding parents, for `lineage.method`, and the learned detectors, whose weights come with the options. */
export const PAPER_METHODS: readonly LineageMethod[] = [
  ...PHYLOGENY_SCORERS.map((scorer) => toLineageMethod(scorer)),
  ...SIMILARITY_SCORERS.map((scorer) => toLineageMethod(scorer, nameTheBest)),
  lineageDetector,
  phylogenyDetector,
];
