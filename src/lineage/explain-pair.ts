import type { Evidence } from '../types/lineage.ts';
import { toModelSamples } from './model-samples.ts';
import type { LineageOptions } from './options.ts';
import { comparePair } from './pair-statistics.ts';
import { PROBES } from './probes/index.ts';
import type { PairFacts, PairSide } from './probes/probe.ts';

export { PROBES } from './probes/index.ts';
export type { PairSide } from './probes/probe.ts';

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
