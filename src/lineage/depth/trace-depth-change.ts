import type { LineageModel } from '../../types/lineage.ts';
import { criticalZ } from '../cosine-test.ts';
import { type FamilyTree, growFamily, readTree, type World } from '../family-tree.ts';
import type { ChildFinding } from '../findings.ts';
import type { TreeNode } from '../tree/grow-tree.ts';
import { alignLayers, type LayerAlignment, stackLayers } from './align-layers.ts';

/** Members of the other family that may be the parent, nearest first; more only cost time. */
const FOREIGN = 40;
/** Below this cosine a layer is not explained by any layer of the other model. */
const EXPLAINED = 0.2;
/** Of a pruned model's layers some may have been made anew, or come from a third model. */
const LEAST_EXPLAINED = 0.75;

export interface DepthChange {
  relation: 'upscaled' | 'pruned';
  alignment: LayerAlignment;
  child: FamilyTree;
  parent: FamilyTree;
}

/**
 * Are two families of different depth one, and which came first? A stack with repeated layers is derived from the one without;
 * a stack that is a strict part of another's layers is derived from it. Null when the layers are unrelated.
 */
export function findDepthChange(a: FamilyTree, b: FamilyTree, pairs: number): DepthChange | null {
  const [large, small] = layerCount(a) > layerCount(b) ? [a, b] : [b, a];
  const ofLarge = alignLayers(rootSamples(large), rootSamples(small));
  const ofSmall = alignLayers(rootSamples(small), rootSamples(large));
  if (ofLarge === null || ofSmall === null) return null;
  if (ofSmall.z < criticalZ(pairs * ofSmall.map.length * ofLarge.map.length) + 1) return null;
  if (ofLarge.cosines.every((c) => c > EXPLAINED))
    return { relation: 'upscaled', alignment: ofLarge, child: large, parent: small };
  // beyond chance is not enough: the best of all stacks of unrelated layers has cosines of .05 in small models
  const explained = ofSmall.cosines.filter((c) => c > EXPLAINED).length;
  if (explained < LEAST_EXPLAINED * ofSmall.cosines.length) return null;
  return { relation: 'pruned', alignment: ofSmall, child: small, parent: large };
}

export function layerCount(family: FamilyTree): number {
  return family.members[0]?.fingerprint.widths.layers ?? 0;
}

function rootSamples(family: FamilyTree) {
  return family.table.samples(family.tree.root);
}

/**
 * Places every member of the child family below the other family's tree: the possible parents are restacked by the layer map, their own
 * tree is kept as it is, and the child family's tree is grown again under it.
 */
export function placeAcrossDepth(
  change: DepthChange,
  world: World,
): { family: FamilyTree; findings: ChildFinding[] } {
  const { child, parent, alignment } = change;
  const root = child.tree.root;
  const restacked = parent.members.map((_, i) => stackLayers(parent.table.samples(i), alignment.map));
  const chosen = chooseForeign(child, parent, restacked, root);
  const offset = child.members.length;
  const index = new Map(chosen.map((p, i) => [p, offset + i]));
  const foreignNodes = chosen.map((p): TreeNode => {
    let up = parent.tree.parent[p]!;
    while (up >= 0 && !index.has(up)) up = parent.tree.parent[up]!;
    return { ...parent.nodes[p]!, pinned: up < 0 ? -1 : index.get(up)! };
  });
  // one root: whatever lost its way up hangs from the first
  const top = foreignNodes.findIndex((n) => n.pinned === -1);
  foreignNodes.forEach((n, i) => {
    if (n.pinned === -1 && i !== top) n.pinned = offset + top;
  });
  const nodes: TreeNode[] = [...child.nodes.map(({ pinned: _, ...n }) => n), ...foreignNodes];
  child.nodes.forEach((n, i) => {
    if (n.pinned !== undefined && n.pinned >= 0) nodes[i]!.pinned = n.pinned;
  });
  const samples = [
    ...child.members.map((_, i) => child.table.samples(i)),
    ...chosen.map((p) => restacked[p]!),
  ];
  const members: LineageModel[] = [...child.members, ...chosen.map((p) => parent.members[p]!)];
  const family = growFamily(members, samples, nodes, world, { foreign: chosen.length });
  const relationOf = (_: number, p: number) => (p >= offset ? change.relation : ('finetune' as const));
  const findings = readTree(family, world, { relationOf }).map((finding) =>
    finding.relation === change.relation ? withLayers(finding, alignment) : finding,
  );
  return { family, findings };
}

function chooseForeign(
  child: FamilyTree,
  parent: FamilyTree,
  restacked: readonly ReturnType<typeof stackLayers>[],
  root: number,
): number[] {
  if (parent.members.length <= FOREIGN) return parent.members.map((_, i) => i);
  const mine = child.table.samples(root);
  const distance = restacked.map((other) => {
    let sum = 0;
    for (const tensor of mine.tensors) {
      const values = other.byName.get(tensor.name)?.values;
      if (!values || values.length !== tensor.values.length || tensor.stats.std === 0) continue;
      for (let i = 0; i < values.length; i++) {
        const d = (values[i]! - tensor.values[i]!) / tensor.stats.std;
        if (d * 0 === 0) sum += d * d;
      }
    }
    return sum;
  });
  const order = restacked.map((_, i) => i).sort((x, y) => distance[x]! - distance[y]! || x - y);
  const chosen = new Set(order.slice(0, FOREIGN));
  for (const p of [...chosen])
    for (let v = parent.tree.parent[p]!; v >= 0; v = parent.tree.parent[v]!) chosen.add(v);
  return [...chosen].sort((x, y) => x - y);
}

function withLayers(finding: ChildFinding, alignment: LayerAlignment): ChildFinding {
  const detail = `Its layers are the parent's ${alignment.map.join(', ')} (mean cosine ${(alignment.cosines.reduce((a, b) => a + b, 0) / alignment.cosines.length).toFixed(2)}, ${alignment.z.toFixed(0)} sd from chance).`;
  return {
    ...finding,
    chosen: finding.chosen.map((p) => ({
      ...p,
      logOdds: { ...p.logOdds, 'layers-repeated-or-dropped': 0 },
      values: { ...p.values, 'layers-repeated-or-dropped': alignment.z },
      details: { ...p.details, 'layers-repeated-or-dropped': detail },
    })),
  };
}
