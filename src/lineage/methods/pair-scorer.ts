import type { SampleLoader } from '../../types/fingerprint.ts';
import type { LineageModel } from '../../types/lineage.ts';
import type { PositionsOf } from '../options.ts';

/** One directed pair a method believes in. Scores order pairs within one method; they are not probabilities unless the method says so. */
export interface ScoredPair {
  parent: string;
  child: string;
  score: number;
}

export interface PairScorerOptions {
  /** everything a method draws follows from it */
  seed: number;
  /** independent runs a method with chance in it is repeated; its score is then the share of runs that named the pair */
  repeats?: number;
  /** number of clusters among models of one shape, for methods whose papers are given it; default: found, see `clustering/null-radius.ts` */
  clusters?: (repos: readonly string[]) => number;
  /** where sampled values lie, so that runs within a row are known */
  positions?: PositionsOf;
  /** told what a reader of the result has to know: models left out, sets looked at in parts */
  onNote?: (note: string) => void;
}

/** A method of the literature: fingerprints in, scored directed pairs out. Pure: same models, samples and options, same pairs. */
export interface PairScorer {
  name: string;
  score(
    models: readonly LineageModel[],
    load: SampleLoader,
    options: PairScorerOptions,
  ): Promise<ScoredPair[]>;
}
