import type { RepoSeed } from '../repos/record.ts';
import type { VirtualSpec } from './model.ts';

export function createVirtualRepos(_spec: VirtualSpec): RepoSeed[] {
  return [];
}
