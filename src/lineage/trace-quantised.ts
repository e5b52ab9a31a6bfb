import type { LineageModel } from '../types/lineage.ts';
import { withoutLine } from './calibration.ts';
import { existedBefore } from './existed-before.ts';
import type { World } from './family-tree.ts';
import type { ChildFinding } from './findings.ts';
import type { ModelSamples } from './model-samples.ts';
import { fadeBeyond } from './probability.ts';
import { type Requantised, requantise, scoreSources } from './quantised-from.ts';
import { splitTies } from './tie-set.ts';

const SCORE_FLOOR = -60;

/** Share of values further than half a step from the candidate at which the real source is as likely a relative that is not in the index. */
const OUTSIDE = 0.05;
const SHARPNESS = 3;
const MIN_BOUNDED = 256;
/** The same for block scales the candidate does not give: those of the real source are nearly all its own. */
const SCALES_OFF = 0.01;
const MIN_SCALES = 32;

/**
 * Rounding to nearest moves no value by more than half a step, whatever the writer's arithmetic (scales stored in half precision leave
 * some per cent outside). More than that, and even the best candidate is only related to the source. A relative closer than half a step,
 * a light fine-tune of a source that is not in the index, is told by the scales of the blocks.
 */
function sourceIsThere({ bounded, outside, scales, scalesOff }: Requantised): number {
  if (bounded < MIN_BOUNDED) return 0.95;
  const byStep = fadeBeyond(OUTSIDE, outside / bounded, SHARPNESS);
  const byScale = scales < MIN_SCALES ? 1 : fadeBeyond(SCALES_OFF, scalesOff / scales, SHARPNESS);
  return Math.min(0.995, byStep, byScale);
}

/** The source of a quantised model among candidates that are not quantised themselves; null when there is none to compare. */
export function traceQuantised(
  child: LineageModel,
  samples: ModelSamples,
  candidates: readonly { model: LineageModel; samples: ModelSamples; children: number }[],
  world: World,
): ChildFinding | null {
  const comparable = candidates
    .map((c) => ({ ...c, found: requantise(samples, c.samples, world.options.roundTrip ?? {}) }))
    .filter((c) => Number.isFinite(c.found.relativeSquared));
  if (comparable.length === 0) return null;
  const scores = scoreSources(comparable.map((c) => c.found));
  const top = Math.max(...scores);
  const rivals = comparable.map(({ model, found, children }, i) => {
    const source = world.classes.get(model.repo);
    const late = !existedBefore(source?.existedBy ?? model.createdAt, child.createdAt);
    const formula = found.compared >= 256;
    const terms = {
      'equal-after-requantising': Math.max(SCORE_FLOOR, scores[i]! - top),
      'created-before': late ? -world.calibration.time : 0,
      // people quantise what is known; only speaks where the codes do not
      'has-many-children': 0.5 * Math.log(1 + children),
    };
    return {
      repo: model.repo,
      terms,
      score: Object.values(terms).reduce((a, b) => a + b, 0),
      values: {
        'equal-after-requantising': formula
          ? 1 - found.mismatches / found.compared
          : Math.sqrt(found.relativeSquared),
      },
      details: {
        'equal-after-requantising': formula
          ? `Quantising it to ${found.formats.join(', ')} reproduces ${(100 * (1 - found.mismatches / found.compared)).toFixed(2)} % of ${found.compared} values.`
          : `Its relative distance is ${(100 * Math.sqrt(found.relativeSquared)).toFixed(2)} %; the format is calibrated, so codes cannot be reproduced.`,
      },
      formula,
    };
  });
  let chosen = 0;
  rivals.forEach((r, i) => {
    if (r.score > rivals[chosen]!.score) chosen = i;
  });
  const split = splitTies(
    rivals,
    chosen,
    sourceIsThere(comparable[chosen]!.found),
    withoutLine(world.calibration),
  );
  return {
    child: child.repo,
    relation: 'quantized',
    method: rivals[chosen]!.formula ? 'requantise' : 'tree',
    chosen: [split.chosen],
    ties: split.ties,
  };
}
