import type { Calibration } from './calibration.ts';
import type { FoundParent } from './findings.ts';
import { type Rival, weighCandidates } from './probability.ts';

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
  const weighed = weighCandidates(candidates, rightWay, calibration);
  const found = candidates.map(
    (c, i): FoundParent => ({
      repo: c.repo,
      probability: weighed[i]!.probability,
      weight: null,
      parentKind: c.parentKind ?? 'repo',
      logOdds: weighed[i]!.logOdds,
      ...(c.values ? { values: c.values } : {}),
      ...(c.details ? { details: c.details } : {}),
    }),
  );
  const others = found
    .map((f, i) => ({ f, i, score: candidates[i]!.score }))
    .filter(({ i }) => i !== chosen)
    .sort((a, b) => b.score - a.score || (a.f.repo < b.f.repo ? -1 : 1));
  const ties: FoundParent[] = [];
  let covered = found[chosen]!.probability;
  for (const { f } of others) {
    if (covered >= COVERED || ties.length >= MAX_TIES || f.probability < NEGLIGIBLE) break;
    ties.push(f);
    covered += f.probability;
  }
  return { chosen: found[chosen]!, ties };
}
