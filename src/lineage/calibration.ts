/** Weights that turn findings into log-odds; fitted by bench/calibrate.ts on generated families and on zoos trained for it. */
export interface Calibration {
  /** where the numbers come from */
  source: string;
  /** log-odds of created before against created after */
  time: number;
  /** exponent of preferential attachment: what one more child is worth where distances cannot tell */
  hub: number;
  /** the same for the choice of the root: the most connected model of a family is its root more often than not */
  rootHub: number;
  /** log-odds of a root with two branches that is not in the index, against one that is */
  hiddenRoot: number;
  /** log-odds of a hub that is not in the index, its lightest child standing in for it, before geometry speaks */
  hiddenHub: number;
  /** odds that the root of a tree is its real root when it has one child, and the exponent by which they grow with more children */
  rootSupport: number;
  rootSupportGrowth: number;
  /** log-odds for a vocabulary that did not shrink */
  vocabulary: number;
  /** exponent of attachment for adapters, whose base shows in nothing but shapes */
  adapterHub: number;
  /** logit p = slope * raw + intercept, capped on both sides */
  slope: number;
  intercept: number;
  cap: number;
}

/** The `calibration` of data/calibration/hublineage.json; a test holds the two together. */
export const DEFAULT_CALIBRATION: Calibration = {
  source: 'fitted on 4942 edges of 56 hubs, whole and in parts',
  time: 5.9,
  hub: 1,
  rootHub: 3,
  hiddenRoot: -3,
  hiddenHub: -1.5,
  rootSupport: 3.38,
  rootSupportGrowth: 2.59,
  vocabulary: 2.5,
  adapterHub: 2.5,
  slope: 0.65,
  intercept: 1.3,
  cap: 6.5,
};

/** Without the line fitted to tree edges: for findings whose scores were not part of that fit. The cap stays. */
export function withoutLine(calibration: Calibration): Calibration {
  return { ...calibration, slope: 1, intercept: 0 };
}
