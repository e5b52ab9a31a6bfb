import type { Calibration } from './calibration.ts';
import type { FoundParent } from './findings.ts';
import { logit, type Rival, weighCandidates } from './probability.ts';

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
  // The fitted map speaks of chosen edges. What it leaves is shared among the rivals as the raw scores have it.
  // What is lost to the direction, or to a parent that is not in the index, is nobody's.
  const best = weighed[chosen]!;
  const rest = Math.max(1e-6, rightWay - best.probability);
  const top = Math.max(...candidates.map((c) => c.score));
  const share = candidates.map((c, i) => (i === chosen ? 0 : Math.exp(c.score - top)));
  const rivals = share.reduce((x, y) => x + y, 0);
  const everything = rivals + Math.exp(candidates[chosen]!.score - top);
  weighed.forEach((w, i) => {
    if (i === chosen) return;
    const probability = Math.max(1e-9, Math.min(0.999, rivals > 0 ? (rest * share[i]!) / rivals : 0));
    const shift = logit(probability) - logit(w.probability);
    w.probability = probability;
    w.logOdds.calibration = (w.logOdds.calibration ?? 0) + shift;
  });
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
  // listed until this much of what the candidates have among themselves is covered
  let covered = found[chosen]!.probability / Math.max(rightWay, 1e-9);
  for (const { f, i } of others) {
    if (share[i]! < NEGLIGIBLE * everything) break;
    if (covered >= COVERED || ties.length >= MAX_TIES || f.probability < NEGLIGIBLE * rightWay) break;
    ties.push(f);
    covered += f.probability / Math.max(rightWay, 1e-9);
  }
  return { chosen: found[chosen]!, ties };
}
