import type { LineageModel } from '../types/lineage.ts';

type Aged = Pick<LineageModel, 'createdAt' | 'repo'>;

/** Sorts models by age; those of one instant by name, so that the order they are given in shows in nothing. */
export function oldestFirst(a: Aged, b: Aged): number {
  return a.createdAt - b.createdAt || (a.repo < b.repo ? -1 : 1);
}
