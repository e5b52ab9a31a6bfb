import type { LineageMethod } from '../options.ts';
import { distanceBlocks } from './block-distances.ts';
import { type BaselineEdge, toResult } from './to-result.ts';

/** The parent is the nearest model created before; quantised models are nobody's parent. */
export const nearestEarlier: LineageMethod = {
  name: 'nearest-earlier',
  async infer(models, _load, options) {
    const edges: BaselineEdge[] = [];
    const notes: string[] = [];
    for (const { models: sorted, distance } of distanceBlocks(models, options.seed, notes))
      for (let i = 1; i < sorted.length; i++) {
        let best = -1;
        for (let j = 0; j < i; j++)
          if (!sorted[j]!.fingerprint.quantized && (best < 0 || distance(i, j) < distance(i, best))) best = j;
        if (best >= 0)
          edges.push({ child: sorted[i]!, parent: sorted[best]!, equal: distance(i, best) === 0 });
      }
    return toResult(models, edges, 'nearest-earlier', notes);
  },
};
