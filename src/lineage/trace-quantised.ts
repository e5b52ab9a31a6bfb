import type { LineageModel } from '../types/lineage.ts';
import { withoutLine } from './calibration.ts';
import type { World } from './family-tree.ts';
import type { ChildFinding } from './findings.ts';
import type { ModelSamples } from './model-samples.ts';
import { logistic } from './probability.ts';
import { type Requantised, requantise, scoreSources } from './quantised-from.ts';
import { splitTies } from './tie-set.ts';

const SCORE_FLOOR = -60;

/** Share of values further than half a step from the candidate at which the real source is as likely a relative that is not in the index. */
const OUTSIDE = 0.05;
const SHARPNESS = 3;
const MIN_BOUNDED = 256;

/**
 * Rounding to nearest moves no value by more than half a step, whatever the writer's arithmetic (scales stored in half precision leave
 * some per cent outside). More than that, and even the best candidate is only related to the source.
 */
function sourceIsThere({ bounded, outside }: Requantised): number {
  if (bounded < MIN_BOUNDED) return 0.95;
  return Math.min(0.995, logistic(SHARPNESS * Math.log(OUTSIDE / Math.max(outside / bounded, 1e-4))));
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
    const late = (source?.existedBy ?? model.createdAt) > child.createdAt + 3_600_000;
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
