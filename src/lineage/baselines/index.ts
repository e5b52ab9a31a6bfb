import type { LineageMethod } from '../options.ts';
import { majorityHub } from './majority-hub.ts';
import { modelAtlas } from './model-atlas.ts';
import { mother } from './mother.ts';
import { nearestEarlier } from './nearest-earlier.ts';

/** What ours is measured against, on the same fingerprints; clustering stands in methods/. */
export const BASELINES: readonly LineageMethod[] = [nearestEarlier, modelAtlas, mother, majorityHub];
