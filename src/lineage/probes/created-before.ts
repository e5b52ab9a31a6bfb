import { existedBefore } from '../existed-before.ts';
import type { Probe } from './probe.ts';

const DAY_MS = 86_400_000;

export const createdBefore: Probe = {
  name: 'created-before',
  question: 'Did the candidate exist before the child?',
  value: 'days before the child',
  source: "the Hub's dates, as likelihood: repos are re-created now and then",
  ask({ child, parent }) {
    const days = (child.model.createdAt - parent.model.createdAt) / DAY_MS;
    return existedBefore(parent.model.createdAt, child.model.createdAt)
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
};
