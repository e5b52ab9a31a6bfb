import type { TensorSample } from '../types/fingerprint.ts';
import type { Evidence, LineageModel, Outcome } from '../types/lineage.ts';
import { filesKey, findCast, haveEqualValues } from './copies.ts';
import { alignLayers } from './depth/align-layers.ts';
import { isPermuted, recoverPermutation } from './disguise/recover-permutation.ts';
import { toModelSamples } from './model-samples.ts';
import { FINENESS, readGrid } from './number-grid.ts';
import type { LineageOptions } from './options.ts';
import { comparePair, type PairStatistics } from './pair-statistics.ts';
import { shapesFit, shapesOf } from './place-adapters.ts';
import { requantise } from './quantised-from.ts';
import { relatedness } from './relatedness.ts';

export interface PairSide {
  model: LineageModel;
  tensors: readonly TensorSample[];
}

interface Probe {
  name: string;
  ask(pair: PairFacts): Answer;
}

interface Answer {
  outcome: Outcome;
  value?: number | null;
  logOdds?: number;
  detail: string;
}

interface PairFacts {
  child: PairSide;
  parent: PairSide;
  pair: PairStatistics;
  options: Pick<LineageOptions, 'roundTrip'>;
}

const HOUR = 3_600_000;
const NOT_FULL: Answer = { outcome: 'not_applicable', detail: 'Only for models with weights of their own.' };

/**
 * Every probe's answer about one pair, whether or not they are candidates for each other: the raw material of `explain` and `compare`.
 * Log-odds here are what the probe alone is worth; where a pair is an inferred edge, that edge's evidence says what it was worth there.
 */
export function explainPair(
  child: PairSide,
  parent: PairSide,
  options: Pick<LineageOptions, 'roundTrip'> = {},
): Evidence[] {
  const facts: PairFacts = {
    child,
    parent,
    options,
    pair: comparePair(
      toModelSamples(child.model.repo, child.tensors),
      toModelSamples(parent.model.repo, parent.tensors),
    ),
  };
  return PROBES.map(({ name, ask }) => {
    const { outcome, value = null, logOdds = 0, detail } = ask(facts);
    return {
      child: child.model.repo,
      parent: parent.model.repo,
      probe: name,
      outcome,
      value,
      logOdds,
      detail,
    };
  });
}

const bothFull = ({ child, parent }: PairFacts) =>
  child.model.fingerprint.kind === 'full' && parent.model.fingerprint.kind === 'full';

const percent = (share: number, digits = 1) => `${(100 * share).toFixed(digits)} %`;

export const PROBES: readonly Probe[] = [
  {
    name: 'same-files',
    ask({ child, parent }) {
      const [a, b] = [filesKey(child.model), filesKey(parent.model)];
      if (a === null || b === null)
        return { outcome: 'not_available', detail: 'Not all file hashes are known.' };
      return a === b
        ? {
            outcome: 'supports',
            value: 1,
            logOdds: 6,
            detail: 'Both hold the same weight files (equal SHA-256).',
          }
        : { outcome: 'neutral', value: 0, detail: 'The weight files differ.' };
    },
  },
  {
    name: 'equal-values',
    ask(facts) {
      if (!bothFull(facts)) return NOT_FULL;
      const equal = haveEqualValues(
        toModelSamples('a', facts.child.tensors),
        toModelSamples('b', facts.parent.tensors),
      );
      return equal
        ? { outcome: 'supports', value: 1, logOdds: 6, detail: 'All sampled values are equal.' }
        : { outcome: 'neutral', value: 0, detail: 'Not all sampled values are equal.' };
    },
  },
  {
    name: 'equal-after-rounding',
    ask({ child, parent }) {
      const cast = findCast(
        child.model,
        toModelSamples(child.model.repo, child.tensors),
        parent.model,
        toModelSamples(parent.model.repo, parent.tensors),
      );
      if (!cast)
        return {
          outcome: 'neutral',
          value: null,
          detail: 'Neither is the other rounded to a coarser format.',
        };
      return cast.child === child.model.repo
        ? { outcome: 'supports', value: cast.agreement, logOdds: 6, detail: cast.detail }
        : {
            outcome: 'contradicts',
            value: cast.agreement,
            logOdds: -6,
            detail: `The other way round: ${cast.detail}`,
          };
    },
  },
  {
    name: 'equal-after-requantising',
    ask({ child, parent, options }) {
      if (!child.model.fingerprint.quantized)
        return { outcome: 'not_applicable', detail: 'The child is not quantised.' };
      const found = requantise(
        toModelSamples('c', child.tensors),
        toModelSamples('p', parent.tensors),
        options.roundTrip ?? {},
      );
      if (found.compared < 256)
        return { outcome: 'not_available', detail: 'Its format cannot be reproduced from a formula.' };
      const equal = 1 - found.mismatches / found.compared;
      return {
        outcome: equal > 0.9 ? 'supports' : equal < 0.5 ? 'contradicts' : 'neutral',
        value: equal,
        logOdds: equal > 0.95 ? 4 : equal < 0.5 ? -4 : 0,
        detail: `Quantising the parent to ${found.formats.join(', ')} reproduces ${percent(equal, 2)} of ${found.compared} values.`,
      };
    },
  },
  {
    name: 'related-beyond-chance',
    ask({ child, parent }) {
      const found = relatedness(
        { summary: child.model.fingerprint, tensors: child.tensors },
        { summary: parent.model.fingerprint, tensors: parent.tensors },
        { pairs: 1000 },
      );
      if (found.outcome === 'incomparable' || found.cosine === null || found.nullSd === null)
        return { outcome: 'not_available', detail: 'No matrices of equal shape in common.' };
      const z = found.cosine / found.nullSd;
      return {
        outcome:
          found.outcome === 'related'
            ? 'supports'
            : found.outcome === 'unrelated'
              ? 'contradicts'
              : 'neutral',
        value: found.cosine,
        logOdds: found.outcome === 'related' ? 3 : found.outcome === 'unrelated' ? -6 : 0,
        detail: `Cosine ${found.cosine.toFixed(3)} over ${found.commonValues} values, ${z.toFixed(1)} standard deviations from chance.`,
      };
    },
  },
  {
    name: 'close-in-distance',
    ask({ pair }) {
      let squared = 0;
      let power = 0;
      for (const t of pair.tensors) {
        squared += t.squared;
        power += t.parentPower;
      }
      if (power === 0) return { outcome: 'not_available', detail: 'Nothing in common.' };
      const distance = Math.sqrt(squared / power);
      return {
        outcome: 'neutral',
        value: distance,
        detail: `Relative distance ${percent(distance, 2)} over ${pair.count} values.`,
      };
    },
  },
  {
    name: 'exact-values-kept',
    ask({ pair }) {
      if (pair.count === 0) return { outcome: 'not_available', detail: 'Nothing in common.' };
      const share = pair.equal / pair.count;
      return {
        outcome: share > 0.05 ? 'supports' : 'neutral',
        value: share,
        logOdds: share > 0.05 ? 2 : 0,
        detail: `${percent(share)} of common values are bit-equal; models trained apart share about 0.1 %.`,
      };
    },
  },
  {
    name: 'untouched-tensors',
    ask({ pair }) {
      const whole = pair.tensors.filter((t) => t.count > 0 && t.equal === t.count).length;
      if (pair.tensors.length === 0) return { outcome: 'not_available', detail: 'Nothing in common.' };
      return {
        outcome: whole > 0 ? 'supports' : 'neutral',
        value: whole / pair.tensors.length,
        logOdds: whole > 2 ? 2 : 0,
        detail: `${whole} of ${pair.tensors.length} common tensors were left as they were.`,
      };
    },
  },
  {
    name: 'created-before',
    ask({ child, parent }) {
      const days = (child.model.createdAt - parent.model.createdAt) / (24 * HOUR);
      return days >= -1 / 24
        ? {
            outcome: 'supports',
            value: days,
            logOdds: 0.5,
            detail: `Created ${days.toFixed(0)} days before the child.`,
          }
        : {
            outcome: 'contradicts',
            value: days,
            logOdds: -5.9,
            detail: `Created ${(-days).toFixed(0)} days after the child; repositories are re-created now and then.`,
          };
    },
  },
  {
    name: 'vocabulary-grew',
    ask({ child, parent }) {
      const [a, b] = [child.model.fingerprint.widths.vocab, parent.model.fingerprint.widths.vocab];
      if (a === null || b === null)
        return { outcome: 'not_available', detail: 'Vocabulary sizes are not known.' };
      if (a === b) return { outcome: 'neutral', value: 0, detail: 'Vocabularies have the same size.' };
      return a > b
        ? {
            outcome: 'supports',
            value: a - b,
            logOdds: 2.5,
            detail: `The vocabulary grew by ${a - b} tokens.`,
          }
        : {
            outcome: 'contradicts',
            value: a - b,
            logOdds: -2.5,
            detail: `The vocabulary would have lost ${b - a} tokens.`,
          };
    },
  },
  {
    name: 'number-format',
    ask(facts) {
      if (!bothFull(facts)) return NOT_FULL;
      const [a, b] = [readGrid(facts.child.tensors), readGrid(facts.parent.tensors)];
      return {
        outcome: 'neutral',
        value: FINENESS[b] - FINENESS[a],
        detail: `Values lie on the ${b} grid in the parent and on the ${a} grid in the child; this orders casts, not fine-tunes.`,
      };
    },
  },
  {
    name: 'smaller-norm',
    ask({ pair }) {
      // z = r sqrt(n) / 2 at best, reversed by any shrinkage: a weak vote, capped at what it has been found worth
      let gap = 0;
      let noise = 0;
      for (const t of pair.tensors) {
        if (t.vector) continue;
        gap += (t.childPower - t.parentPower) / (t.parentPower || 1);
        noise += (4 * t.squared) / (t.parentPower || 1) / Math.max(1, t.count);
      }
      if (noise === 0) return { outcome: 'not_applicable', detail: 'No difference to weigh.' };
      const z = gap / Math.sqrt(noise);
      return {
        outcome: Math.abs(z) < 2 ? 'neutral' : z > 0 ? 'supports' : 'contradicts',
        value: z,
        logOdds: Math.max(-0.5, Math.min(0.5, 0.1 * z)),
        detail: `The child's norm is ${z > 0 ? 'larger' : 'smaller'} (${Math.abs(z).toFixed(1)} sd); weight decay reverses this rule.`,
      };
    },
  },
  {
    name: 'kurtosis-fell',
    ask({ child, parent }) {
      const byName = new Map(parent.tensors.map((t) => [t.name, t]));
      const gaps = child.tensors.flatMap((t) => {
        const other = byName.get(t.name);
        return other && t.shape.length > 1 ? [t.stats.kurtosis - other.stats.kurtosis] : [];
      });
      if (gaps.length === 0) return { outcome: 'not_available', detail: 'Nothing in common.' };
      const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
      return {
        outcome: 'neutral',
        value: mean,
        detail: `Kurtosis ${mean <= 0 ? 'fell' : 'rose'} by ${Math.abs(mean).toFixed(4)} on average; the sign of this rule differs between populations, so it is not weighed.`,
      };
    },
  },
  {
    name: 'layers-repeated-or-dropped',
    ask(facts) {
      const [a, b] = [
        facts.child.model.fingerprint.widths.layers,
        facts.parent.model.fingerprint.widths.layers,
      ];
      if (!bothFull(facts) || a === null || b === null || a === b)
        return { outcome: 'not_applicable', detail: 'Both have the same number of layers.' };
      const found = alignLayers(
        toModelSamples('c', facts.child.tensors),
        toModelSamples('p', facts.parent.tensors),
      );
      if (!found) return { outcome: 'not_available', detail: 'The layers have other shapes.' };
      return {
        outcome: found.z > 8 ? 'supports' : 'contradicts',
        value: found.z,
        logOdds: found.z > 8 ? 5 : -5,
        detail: `Best alignment of layers: ${found.map.join(', ')}, ${found.z.toFixed(1)} sd from chance.`,
      };
    },
  },
  {
    name: 'same-after-permutation',
    ask(facts) {
      if (!bothFull(facts)) return NOT_FULL;
      const found = recoverPermutation(
        toModelSamples('c', facts.child.tensors),
        toModelSamples('p', facts.parent.tensors),
      );
      if (!found) return { outcome: 'not_available', detail: 'Too few norm gains to match units by.' };
      return isPermuted(found)
        ? {
            outcome: 'supports',
            value: found.matched,
            logOdds: 4,
            detail: `One permutation of all hidden units matches ${percent(found.matched, 0)} of them by their norm gains.`,
          }
        : { outcome: 'neutral', value: found.matched, detail: 'No permutation of hidden units is seen.' };
    },
  },
  {
    name: 'adapter-shapes-fit',
    ask({ child, parent }) {
      if (child.model.fingerprint.kind !== 'adapter')
        return { outcome: 'not_applicable', detail: 'The child is not an adapter.' };
      const fits = shapesFit(child.model, shapesOf(toModelSamples('p', parent.tensors)));
      return fits
        ? {
            outcome: 'supports',
            value: 1,
            logOdds: 1,
            detail: 'The matrices the adapter targets have these shapes here.',
          }
        : {
            outcome: 'contradicts',
            value: 0,
            logOdds: -6,
            detail: 'The matrices the adapter targets have other shapes here, or are missing.',
          };
    },
  },
];
