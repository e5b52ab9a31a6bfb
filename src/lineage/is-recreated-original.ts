import type { LineageModel } from '../types/lineage.ts';
import type { CopyClass, CopyFinding } from './copies.ts';
import type { FamilyTree } from './family-tree.ts';

/** Children older than every visible copy of their parent: one may be a wrong date, more are not. */
const MIN_OLDER_CHILDREN = 2;

/**
 * Among equal copies the earliest is the source, unless children are older than all of them: then the original was deleted and came
 * back, and its date says nothing. Who publishes derived models elsewhere is a re-uploader rather than an originator; a single copy
 * whose owner publishes nothing derived is taken for the original. Returns old source -> new source.
 */
export function findRecreatedOriginals(
  families: readonly FamilyTree[],
  classes: ReadonlyMap<string, CopyClass>,
  derivedByOwner: ReadonlyMap<string, number>,
): Map<string, LineageModel> {
  const renamed = new Map<string, LineageModel>();
  for (const { nodes, tree } of families) {
    nodes.forEach((node, i) => {
      const home = classes.get(node.repo);
      if (!home || home.members.length < 2) return;
      let older = 0;
      tree.parent.forEach((p, child) => {
        if (p === i && nodes[child]!.existedBy < node.existedBy) older++;
      });
      if (older < MIN_OLDER_CHILDREN) return;
      const equal = home.members.filter((m) => m.fingerprint.dtype === home.source.fingerprint.dtype);
      // the copies themselves are not counted as derived work, or nobody could be told apart
      const derived = (m: LineageModel) => derivedByOwner.get(m.owner) ?? 0;
      const originators = equal.filter((m) => derived(m) === 0);
      if (originators.length === 1 && derived(home.source) > 0) renamed.set(node.repo, originators[0]!);
    });
  }
  return renamed;
}

/** Copy findings after a change of source: the old source becomes a copy of the new one, everybody else's parent is renamed. */
export function renameCopies(
  copies: readonly CopyFinding[],
  renamed: ReadonlyMap<string, LineageModel>,
): CopyFinding[] {
  return copies.map((copy) => {
    const source = renamed.get(copy.parent);
    if (!source) return copy;
    return copy.child === source.repo
      ? { ...copy, child: copy.parent, parent: copy.child }
      : { ...copy, parent: source.repo };
  });
}
