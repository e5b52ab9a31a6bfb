import { adapterShapesFit } from './adapter-shapes-fit.ts';
import { closeInDistance } from './close-in-distance.ts';
import { createdBefore } from './created-before.ts';
import { equalAfterRequantising } from './equal-after-requantising.ts';
import { equalAfterRounding } from './equal-after-rounding.ts';
import { equalValues } from './equal-values.ts';
import { exactValuesKept } from './exact-values-kept.ts';
import { kurtosisFell } from './kurtosis-fell.ts';
import { layersRepeatedOrDropped } from './layers-repeated-or-dropped.ts';
import { numberFormat } from './number-format.ts';
import type { Probe } from './probe.ts';
import { relatedBeyondChance } from './related-beyond-chance.ts';
import { sameAfterPermutation } from './same-after-permutation.ts';
import { sameFiles } from './same-files.ts';
import { smallerNorm } from './smaller-norm.ts';
import { untouchedTensors } from './untouched-tensors.ts';
import { vocabularyGrew } from './vocabulary-grew.ts';

/** Every question asked about a pair, in the order people read the answers: copies, relatedness, direction, shapes. */
export const PROBES: readonly Probe[] = [
  sameFiles,
  equalValues,
  equalAfterRounding,
  equalAfterRequantising,
  relatedBeyondChance,
  closeInDistance,
  exactValuesKept,
  untouchedTensors,
  createdBefore,
  vocabularyGrew,
  numberFormat,
  smallerNorm,
  kurtosisFell,
  layersRepeatedOrDropped,
  sameAfterPermutation,
  adapterShapesFit,
];
