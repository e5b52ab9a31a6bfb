import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is known of one model of a zoo (`truth.json`). */
export interface TruthRow {
  parents: string[];
  /** `root`, a relation of ours, or `laundered` for `transformed` */
  relation: string;
  declared: string[];
  declared_status: 'correct' | 'missing' | 'wrong' | 'ancestor' | 'sibling' | 'unresolvable' | 'none';
  arch?: string;
  detail?: string;
}

export type Truth = Readonly<Record<string, TruthRow>>;

export function readTruth(zoo: string): Truth {
  return JSON.parse(readFileSync(join(zoo, 'truth.json'), 'utf8')) as Truth;
}

/** Copies and casts count as what they are copies of: repo -> the one it stands for. */
export function createOriginalOf(truth: Truth): (repo: string) => string {
  const originalOf = (repo: string): string => {
    const row = truth[repo];
    const [parent] = row?.parents ?? [];
    return row && parent && (row.relation === 'duplicate' || row.relation === 'cast')
      ? originalOf(parent)
      : repo;
  };
  return originalOf;
}

/** Root of the family a model truly belongs to; a merge belongs to that of its first parent. */
export function trueRoot(truth: Truth, repo: string): string {
  const [parent] = truth[repo]?.parents ?? [];
  return parent === undefined || !(parent in truth) ? repo : trueRoot(truth, parent);
}
