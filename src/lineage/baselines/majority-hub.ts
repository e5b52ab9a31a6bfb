import type { LineageMethod } from '../options.ts';
import { distanceBlocks } from './block-distances.ts';
import { type BaselineEdge, toResult } from './to-result.ts';

/** Everybody is a child of the most central model of the component (its 1-median): what a guess at the largest hub is worth. */
export const majorityHub: LineageMethod = {
  name: 'majority-hub',
  async infer(models, _load, options) {
    const edges: BaselineEdge[] = [];
    const notes: string[] = [];
    for (const { models: members, distance } of distanceBlocks(models, options.seed, notes)) {
      let hub = 0;
      let least = Number.POSITIVE_INFINITY;
      members.forEach((_, i) => {
        const sum = members.reduce((total, _, j) => total + distance(i, j), 0);
        if (sum < least) {
          least = sum;
          hub = i;
        }
      });
      members.forEach((child, i) => {
        if (i !== hub) edges.push({ child, parent: members[hub]!, equal: distance(i, hub) === 0 });
      });
    }
    return toResult(models, edges, 'majority-hub', notes);
  },
};
