import { createHash } from 'node:crypto';
import type { FaultClass, FaultSpec, MinihubStats } from '../options.ts';

/** Decides which request is hit. */
export interface FaultPlan {
  /** no fault will ever come of it */
  readonly calm: boolean;
  /** the first of the classes, in the order given, that hits this request; null for a calm answer */
  pick(classes: readonly FaultClass[], key: string, repo: string | null): FaultClass | null;
}

/**
 * A hit is decided by hash(seed, class, url without signature, attempt) alone, so a bad night can be replayed whatever the
 * interleaving; `attempt` counts the requests this key has seen.
 */
export function createFaultPlan(spec: FaultSpec | null, stats: MinihubStats): FaultPlan {
  if (spec === null) return { calm: true, pick: () => null };
  const attempts = new Map<string, number>();
  const hits = new Map<string, number>();
  return {
    calm: false,
    pick(classes, key, repo) {
      for (const name of classes) {
        const given = spec.classes[name];
        if (given === undefined) continue;
        const rule = typeof given === 'number' ? { rate: given } : given;
        if (rule.repos !== undefined && (repo === null || !rule.repos.includes(repo))) continue;
        const counter = `${name} ${key}`;
        const attempt = attempts.get(counter) ?? 0;
        attempts.set(counter, attempt + 1);
        const taken = hits.get(counter) ?? 0;
        if (taken >= (rule.maxPerUrl ?? 1)) continue;
        if (toFraction(`${spec.seed} ${counter} ${attempt}`) >= rule.rate) continue;
        hits.set(counter, taken + 1);
        stats.faults[name] = (stats.faults[name] ?? 0) + 1;
        return name;
      }
      return null;
    },
  };
}

/** 0 <= x < 1, the same for the same text. */
function toFraction(text: string): number {
  return createHash('sha1').update(text).digest().readUInt32LE(0) / 2 ** 32;
}
