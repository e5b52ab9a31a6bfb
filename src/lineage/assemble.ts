import type { Edge, FamilyMember, LineageModel, LineageResult, VirtualParent } from '../types/lineage.ts';
import { type ChildFinding, toEdges, toEvidence } from './findings.ts';

/** The result over all findings: edges and evidence by child, families over all models. */
export function assemble(
  models: readonly LineageModel[],
  findings: readonly ChildFinding[],
  minProbability: number,
  virtualParents: VirtualParent[],
): LineageResult {
  const sorted = [...findings].sort((a, b) => (a.child < b.child ? -1 : a.child > b.child ? 1 : 0));
  const edges = sorted.flatMap((f) => toEdges(f, minProbability));
  return {
    edges,
    evidence: sorted.flatMap(toEvidence),
    families: familiesOf(models, edges),
    virtualParents,
    notes: [],
  };
}

/** Root and depth of every model along its first rank-1 parent. */
export function familiesOf(models: readonly LineageModel[], edges: readonly Edge[]): FamilyMember[] {
  const parent = new Map<string, string>();
  for (const e of edges) if (e.rank === 1 && !parent.has(e.child)) parent.set(e.child, e.parent);
  return models.map((m) => {
    let root = m.repo;
    let depth = 0;
    const seen = new Set([root]);
    for (let next = parent.get(root); next !== undefined && !seen.has(next); next = parent.get(root)) {
      root = next;
      seen.add(root);
      depth++;
    }
    return { repo: m.repo, root, depth };
  });
}
