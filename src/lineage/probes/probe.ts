import type { TensorSample } from '../../types/fingerprint.ts';
import type { LineageModel, Outcome } from '../../types/lineage.ts';
import type { LineageOptions } from '../options.ts';
import type { PairStatistics } from '../pair-statistics.ts';

export interface ProbeWords {
  /** the question it answers by yes or no, or the price it stands for */
  question: string;
  /** unit of `value`; null where it has none */
  value: string | null;
  /** where its formula comes from */
  source: string;
}

export interface PairSide {
  model: LineageModel;
  tensors: readonly TensorSample[];
}

/** What every probe may look at. */
export interface PairFacts {
  child: PairSide;
  parent: PairSide;
  pair: PairStatistics;
  options: Pick<LineageOptions, 'roundTrip'>;
}

export interface Answer {
  outcome: Outcome;
  value?: number | null;
  /** 0 when absent */
  logOdds?: number;
  detail: string;
}

/**
 * One question about one pair. The log-odds of an answer are set by hand, rounded from what the rule was seen to be worth on generated
 * families; they are not fitted and not added up. What an edge was worth inside the inference stands in its own evidence, which is
 * calibrated (`calibration.ts`).
 */
export interface Probe extends ProbeWords {
  /** = name of its file = `edge_evidence.probe` */
  name: string;
  ask(pair: PairFacts): Answer;
}

export const OWN = 'this project';

export const NOT_FULL: Answer = {
  outcome: 'not_applicable',
  detail: 'Only for models with weights of their own.',
};

export function bothFull({ child, parent }: PairFacts): boolean {
  return child.model.fingerprint.kind === 'full' && parent.model.fingerprint.kind === 'full';
}

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}
