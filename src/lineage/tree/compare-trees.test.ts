import { describe, expect, it } from 'vitest';
import { DEFAULT_CALIBRATION } from '../calibration.ts';
import type { BranchSteps } from './branch-steps.ts';
import { createTreeComparison } from './compare-trees.ts';
import type { TreeNode } from './grow-tree.ts';

const DAY = 86_400_000;
const named = (repo: string, day: number): TreeNode => ({ repo, existedBy: day * DAY, vocab: null });
const tree = (...parents: number[]) => Int32Array.from(parents);

/** A hub 0 with children 1 to 4, as distances show it: whoever branches off at 1 instead loses `clear`. */
const star = (clear: number): BranchSteps => ({
  of: (p, q, c) => (p === 0 && c !== 0 ? -clear : q === 0 ? clear : 0),
});

describe('createTreeComparison', () => {
  const HUB_LATE = [9, 0, 1, 2, 3].map((day, i) => named(`model-${i}`, day));
  const hub = tree(-1, 0, 0, 0, 0);
  const standIn = tree(1, -1, 1, 1, 1);

  it('is the same difference from both sides', () => {
    const compare = createTreeComparison(HUB_LATE, DEFAULT_CALIBRATION, star(2));
    expect(compare(hub, standIn)).toBeCloseTo(-compare(standIn, hub), 12);
    expect(compare(hub, hub)).toBe(0);
  });

  it('prefers a late hub to an older child of it where distances say so for several', () => {
    expect(createTreeComparison(HUB_LATE, DEFAULT_CALIBRATION, star(4))(hub, standIn)).toBeGreaterThan(0);
  });

  it('prefers the older one where distances say nothing', () => {
    expect(createTreeComparison(HUB_LATE, DEFAULT_CALIBRATION, star(0))(hub, standIn)).toBeLessThan(0);
  });

  it('lets no single model outweigh the rest, however far it lies', () => {
    const nodes = [0, 1, 2, 3, 4].map((day, i) => named(`model-${i}`, day));
    const far: BranchSteps = { of: (p, q, c) => (c === 4 && p === 0 && q === 3 ? 100 : 0) };
    const compare = createTreeComparison(nodes, DEFAULT_CALIBRATION, far);
    const moved = tree(-1, 0, 0, 0, 3);
    expect(compare(moved, hub)).toBeLessThanOrEqual(3);
  });
});
