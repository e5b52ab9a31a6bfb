import { createHash } from 'node:crypto';
import { isLfsFile, lfsIdentity } from '../repos/identity.ts';
import type { FileIdentity, RepoFile } from '../repos/record.ts';
import type { FilePlan } from './file-plan.ts';
import { readPlan } from './read-plan.ts';
import type { Recipe } from './values.ts';

/** Up to here the sha256 is that of the bytes; beyond, of the formula: hashing gigabytes that nobody stores would take minutes. */
const MAX_HASHED_BYTES = 4 << 20;

/** A weight file made of a layout and a recipe. Equal layout and equal recipe = equal hashes, as for real copies. */
export function createVirtualFile(path: string, plan: FilePlan, planKey: string, recipe: Recipe): RepoFile {
  let identity: FileIdentity | undefined;
  return {
    path,
    size: plan.size,
    lfs: isLfsFile(path, plan.size),
    async identity() {
      if (identity === undefined) {
        const hash = createHash('sha256');
        if (plan.size <= MAX_HASHED_BYTES) hash.update(readPlan(plan, recipe, 0, plan.size));
        else hash.update(`${planKey} ${recipe.key} ${recipe.dtype}`);
        identity = lfsIdentity(hash.digest('hex'), plan.size);
      }
      return identity;
    },
    read: async (offset, length) => readPlan(plan, recipe, offset, length),
  };
}
