import type { FamilyNode, ReportFamily } from './document.ts';

/** A node of a drawing; `inside` is null for a parent that stands in none of the families drawn. */
export interface GraphNode {
  id: string;
  label: string;
  inside: { node: FamilyNode; family: ReportFamily } | null;
}

export interface GraphEdge {
  from: string;
  to: string;
  relation: FamilyNode['relation'];
  probability: number | null;
  weight: number | null;
  /** false for the further parents of a merge */
  main: boolean;
}

/**
 * Families as one graph, for formats that draw nodes and edges. Every end of an edge is among the nodes: a merge may have a parent in a
 * family that is not drawn.
 */
export function toGraph(families: readonly ReportFamily[]): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const nodes = new Map<string, GraphNode>();
  const edges: GraphEdge[] = [];
  for (const family of families)
    for (const node of family.nodes)
      nodes.set(node.repo, { id: node.repo, label: node.label, inside: { node, family } });
  for (const { nodes: members } of families) {
    for (const node of members) {
      const { repo: to, relation, parent, probability, weight } = node;
      if (parent !== null) edges.push({ from: parent, to, relation, probability, weight, main: true });
      for (const other of node.otherParents) {
        const { probability: chance, weight: share } = other;
        edges.push({ from: other.parent, to, relation, probability: chance, weight: share, main: false });
        if (!nodes.has(other.parent))
          nodes.set(other.parent, { id: other.parent, label: other.label, inside: null });
      }
    }
  }
  return { nodes: [...nodes.values()], edges: edges.filter(({ from }) => nodes.has(from)) };
}
