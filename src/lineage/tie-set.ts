import type { Calibration } from './calibration.ts';
import type { FoundParent } from './findings.ts';
import { logit, type Rival, type WeighedCandidate, weighCandidates } from './probability.ts';

/** Candidates are listed until this much probability is covered, so that the truth is among them as often as that. */
const COVERED = 0.995;
const NEGLIGIBLE = 0.003;
const MAX_TIES = 12;

export interface NamedRival extends Rival {
  repo: string;
  parentKind?: 'repo' | 'virtual';
  values?: Readonly<Record<string, number>>;
  details?: Readonly<Record<string, string>>;
}

/** Weighs candidates and splits them into the chosen one and its statistical ties, best first. */
export function splitTies(
  candidates: readonly NamedRival[],
  chosen: number,
  rightWay: number,
  calibration: Calibration,
): { chosen: FoundParent; ties: FoundParent[] } {
  const weigh = weighCandidates(candidates, rightWay, calibration);
  // The fitted map speaks of chosen edges. What it leaves is shared among the rivals as the raw scores have it.
  // What is lost to the direction, or to a parent that is not in the index, is nobody's.
  const best = toFound(candidates[chosen]!, weigh(chosen));
  const rest = Math.max(1e-6, rightWay - best.probability);
  let top = Number.NEGATIVE_INFINITY;
  for (const c of candidates) top = Math.max(top, c.score);
  const share = new Float64Array(candidates.length);
  let rivals = 0;
  for (let i = 0; i < share.length; i++) {
    if (i !== chosen) share[i] = Math.exp(candidates[i]!.score - top);
    rivals += share[i]!;
  }
  const everything = rivals + Math.exp(candidates[chosen]!.score - top);
  const others: NumberedRival[] = [];
  for (let i = 0; i < share.length; i++)
    if (i !== chosen && share[i]! >= NEGLIGIBLE * everything) others.push({ c: candidates[i]!, i });
  others.sort(bestFirst);
  const ties: FoundParent[] = [];
  // listed until this much of what the candidates have among themselves is covered
  let covered = best.probability / Math.max(rightWay, 1e-9);
  for (const { c, i } of others) {
    const probability = Math.max(1e-9, Math.min(0.999, rivals > 0 ? (rest * share[i]!) / rivals : 0));
    if (covered >= COVERED || ties.length >= MAX_TIES || probability < NEGLIGIBLE * rightWay) break;
    const weighed = weigh(i);
    const shift = logit(probability) - logit(weighed.probability);
    weighed.logOdds.calibration = (weighed.logOdds.calibration ?? 0) + shift;
    ties.push(toFound(c, { probability, logOdds: weighed.logOdds }));
    covered += probability / Math.max(rightWay, 1e-9);
  }
  return { chosen: best, ties };
}

interface NumberedRival {
  c: NamedRival;
  i: number;
}

function bestFirst(a: NumberedRival, b: NumberedRival): number {
  return b.c.score - a.c.score || (a.c.repo < b.c.repo ? -1 : 1);
}

function toFound(candidate: NamedRival, { probability, logOdds }: WeighedCandidate): FoundParent {
  return {
    repo: candidate.repo,
    probability,
    weight: null,
    parentKind: candidate.parentKind ?? 'repo',
    logOdds,
    ...(candidate.values ? { values: candidate.values } : {}),
    ...(candidate.details ? { details: candidate.details } : {}),
  };
}
