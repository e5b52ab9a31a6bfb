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

/** As much of it as judging parents needs: what generated families know too. */
export interface KnownParents {
  parents: readonly string[];
  relation: string;
  detail?: string;
}
type Known = Readonly<Record<string, KnownParents>>;

export function readTruth(zoo: string): Truth {
  return JSON.parse(readFileSync(join(zoo, 'truth.json'), 'utf8')) as Truth;
}

/**
 * Copies and casts count as what they are copies of: repo -> the one it stands for. So do quantised repos that hold an unquantised file
 * beside the others: it is what is read of them.
 */
export function createOriginalOf(truth: Known): (repo: string) => string {
  const isCopy = ({ relation, detail = '' }: KnownParents) =>
    relation === 'duplicate' ||
    relation === 'cast' ||
    (relation === 'quantized' && /\bf(16|32)\b/.test(detail));
  const originalOf = (repo: string): string => {
    const row = truth[repo];
    const [parent] = row?.parents ?? [];
    return row && parent && isCopy(row) ? originalOf(parent) : repo;
  };
  return originalOf;
}

/**
 * The originals of the nearest generation above a model that is in `present` (a set of originals): what is right to be named as its
 * parent when models are missing. Empty when no ancestor is there.
 */
export function createNearestAncestors(truth: Known, present: ReadonlySet<string>) {
  const originalOf = createOriginalOf(truth);
  return (repo: string): Set<string> => {
    let level = (truth[originalOf(repo)]?.parents ?? []).map(originalOf);
    while (level.length > 0) {
      const here = level.filter((parent) => present.has(parent));
      if (here.length > 0) return new Set(here);
      level = level.flatMap((parent) => truth[parent]?.parents ?? []).map(originalOf);
    }
    return new Set();
  };
}

/** Root of the family a model truly belongs to, though it be deleted; a merge belongs to that of its first parent. */
export function trueRoot(truth: Known, repo: string): string {
  const [parent] = truth[repo]?.parents ?? [];
  if (parent === undefined) return repo;
  return parent in truth ? trueRoot(truth, parent) : parent;
}

/** A known relation in our words. */
export const relationOf = (relation: string): string => (relation === 'laundered' ? 'transformed' : relation);
