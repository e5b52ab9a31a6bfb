import type { Evidence } from '../types/lineage.ts';
import type { PairStory } from './explain-edge.ts';

const percent = (share: number) => `${(100 * share).toPrecision(2)} %`;

/** Why a candidate is not the chosen parent, in one plain sentence: the strongest reason there is. */
export function explainLoss(candidate: PairStory & { kind: string }, chosen: PairStory | null): string {
  const { edge, terms, probes, kind } = candidate;
  if (kind === 'chosen')
    return `It is the chosen parent, with probability ${(edge?.probability ?? 0).toFixed(3)}.`;
  if (edge !== null) {
    const against = strongest(terms, -1);
    const ground = against === null ? '' : ` What speaks most against it: ${against.detail}`;
    return `A tie: the evidence leaves it a probability of ${edge.probability.toFixed(3)}.${ground}`;
  }
  if (probes.length === 0) return 'Its weights have not been read, so it cannot be weighed.';
  if (candidate.relatedness?.outcome === 'unrelated')
    return 'Its weights are not related to these beyond chance.';
  if (kind === 'child') return 'It is placed below this model: the edge points the other way.';
  const against = strongest(probes, -2);
  if (against !== null) return against.detail;
  if (candidate.relatedness?.outcome === 'incomparable')
    return 'The two have no matrices of equal shape in common, so values say nothing about it.';
  const [mine, theirs] = [candidate.relatedness?.relativeDistance, chosen?.relatedness?.relativeDistance];
  if (typeof mine === 'number' && typeof theirs === 'number' && mine > theirs)
    return `It is further away: relative distance ${percent(mine)}, against ${percent(theirs)} of ${chosen?.parent}.`;
  if (chosen?.edge == null) return 'Nothing marks it as a parent rather than a relative.';
  if (chosen.edge.method === 'tree')
    return `The distances to the whole family place the child below ${chosen.parent}; a near sibling may be close as well.`;
  return `${chosen.parent} explains it better: ${chosen.edge.relation}, found by ${chosen.edge.method}.`;
}

/** The finding with the lowest log-odds, if any is at or below `atMost`. */
function strongest(evidence: readonly Evidence[], atMost: number): Evidence | null {
  const [worst] = [...evidence].sort((a, b) => a.logOdds - b.logOdds);
  return worst !== undefined && worst.logOdds <= atMost ? worst : null;
}
