/** Weights that turn findings into log-odds; fitted by bench/calibrate.ts on generated families and half of a zoo. */
export interface Calibration {
  /** where the numbers come from */
  source: string;
  /** sd of the chance correlation between steps of different models: caps what distances can say however many values are read */
  stepCorrelation: number;
  /** log-odds of created before against created after */
  time: number;
  /** exponent of preferential attachment */
  hub: number;
  /** log-odds for a vocabulary that did not shrink */
  vocabulary: number;
  /** cap of the norm rule and of the kurtosis rule */
  normCap: number;
  kurtosisCap: number;
  /** log-odds against a change of depth, before the layers are looked at */
  depthPrior: number;
  /** log-odds against a permuted copy */
  permutedPrior: number;
  /** exponent of attachment for adapters, whose base shows in nothing but shapes */
  adapterHub: number;
  /** logit p = slope * raw + intercept, capped */
  slope: number;
  intercept: number;
  cap: number;
}

export const DEFAULT_CALIBRATION: Calibration = {
  source: 'priors of the literature, not fitted',
  stepCorrelation: 0.03,
  time: 5.9,
  hub: 1.5,
  vocabulary: 2.5,
  normCap: 2,
  kurtosisCap: 0.5,
  depthPrior: -5,
  permutedPrior: -5,
  adapterHub: 1.2,
  slope: 1,
  intercept: 0,
  cap: 6.5,
};
