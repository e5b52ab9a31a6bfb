import type { Edge, Evidence, Outcome, Relation } from '../types/lineage.ts';
import { logit } from './probability.ts';

/** One candidate parent of one child with what speaks for and against it. */
export interface FoundParent {
  repo: string;
  probability: number;
  weight: number | null;
  parentKind: 'repo' | 'virtual';
  /** by probe; they add up to logit(probability) */
  logOdds: Readonly<Record<string, number>>;
  /** what each probe measured, in its own unit */
  values?: Readonly<Record<string, number>>;
  details?: Readonly<Record<string, string>>;
}

/** What inference concludes about one child: its parents (several for a merge), then the ties, best first. */
export interface ChildFinding {
  child: string;
  relation: Relation;
  method: string;
  chosen: FoundParent[];
  ties: FoundParent[];
}

/** The same parent with its probability multiplied: what one more way of being wrong costs, booked under the probe that found it. */
export function restrict(parent: FoundParent, probe: string, factor: number): FoundParent {
  const probability = Math.max(1e-6, Math.min(1 - 1e-6, parent.probability * factor));
  const cost = logit(probability) - logit(parent.probability);
  return {
    ...parent,
    probability,
    logOdds: { ...parent.logOdds, [probe]: (parent.logOdds[probe] ?? 0) + cost },
  };
}

/** Plain sentences for the terms that every method shares. */
const DETAILS: Record<string, (logOdds: number) => string> = {
  'branches-off-here': (x) =>
    x >= 0
      ? 'Distances over all common tensors, and the values that were left as they were, place the child directly below this model.'
      : 'Distances, or values that were left as they were, place the child closer to another model.',
  'created-before': (x) =>
    x > 0.05
      ? 'The dates speak for it: some rivals were created after the child.'
      : x < -0.05
        ? 'The dates speak against it: it was created after the child, and some rivals were not.'
        : 'The dates do not tell it from its rivals.',
  'has-many-children': (x) =>
    x >= 0 ? 'It has as many other children as its rivals, or more.' : 'Rivals have more children.',
  'vocabulary-grew': (x) =>
    x >= 0 ? 'The vocabulary did not shrink on the way.' : 'The child would have lost vocabulary.',
  'learned-detector-agrees': (x) =>
    x >= 0 ? 'The learned detector names this model too.' : 'The learned detector names another model.',
  'turns-the-branch-around': (x) =>
    x >= 0
      ? 'It fits without moving other edges; some rivals do not.'
      : 'Other edges would have to turn around for it.',
  rivals: () => 'Price of the other candidates that fit nearly as well.',
  direction: () =>
    'Chance that the edge points the other way, or that the real parent is not in the index, from evidence pooled over the family.',
  calibration: () => 'Difference between raw and calibrated log-odds, cap included.',
};

/**
 * Rank 1 for what is chosen, 2.. for ties. "No parent here" is an answer too: a parent that is less likely than that, or that falls
 * below `minProbability`, is listed first among the ties instead. The parents of a merge do not exclude each other, so each is held
 * against its own absence.
 */
export function toEdges(
  { child, relation, method, chosen, ties }: ChildFinding,
  minProbability: number,
): Edge[] {
  const edge = (p: FoundParent, rank: number): Edge => ({
    child,
    parent: p.repo,
    relation,
    probability: p.probability,
    rank,
    weight: p.weight,
    method,
    parentKind: p.parentKind,
  });
  const listed = [...chosen, ...ties].reduce((sum, p) => sum + p.probability, 0);
  const isChosen = ({ probability }: FoundParent) =>
    probability >= Math.max(minProbability, chosen.length > 1 ? 0.5 : 1 - listed);
  const [named, left] = [chosen.filter(isChosen), chosen.filter((p) => !isChosen(p))];
  return [...named.map((p) => edge(p, 1)), ...[...left, ...ties].map((p, i) => edge(p, i + 2))];
}

/** A row for each term of each parent. Loops, since a hundred thousand models have a million rows, every night. */
export function toEvidence({ child, chosen, ties }: ChildFinding): Evidence[] {
  const rows: Evidence[] = [];
  for (const parents of [chosen, ties])
    for (const { repo: parent, logOdds: terms, values, details } of parents)
      for (const probe in terms) {
        const logOdds = terms[probe]!;
        const value = values?.[probe] ?? null;
        const detail = details?.[probe] ?? DETAILS[probe]?.(logOdds) ?? probe;
        rows.push({ child, parent, probe, outcome: outcomeOf(logOdds), value, logOdds, detail });
      }
  return rows;
}

function outcomeOf(logOdds: number): Outcome {
  return logOdds > 0.05 ? 'supports' : logOdds < -0.05 ? 'contradicts' : 'neutral';
}
