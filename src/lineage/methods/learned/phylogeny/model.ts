import type { PhylogenySizes } from './network.ts';
import type { FeatureScale } from './score-pairs.ts';

/** A trained detector as data: whoever reads files hands it in. */
export interface PhylogenyModel {
  sizes: PhylogenySizes;
  nodeScale: FeatureScale;
  pairScale: FeatureScale;
  /** all parameters one after another, in the order of `phylogenyParameters` */
  weights: Float32Array;
  /** softmax temperature and slope of the fitted log-odds, see `calibrate.ts` */
  calibration: { slope: number; intercept: number };
}
