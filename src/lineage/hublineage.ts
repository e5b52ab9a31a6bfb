import type { SampleLoader } from '../types/fingerprint.ts';
import type { Edge, Evidence, FamilyMember, LineageModel, LineageResult } from '../types/lineage.ts';
import { findBlocks } from './blocks.ts';
import { DEFAULT_CALIBRATION } from './calibration.ts';
import { type CopyClass, findCast, findEqualModels } from './copies.ts';
import { createSampleCache } from './model-samples.ts';
import type { LineageOptions } from './options.ts';
import { weighCandidates } from './probability.ts';
import { growTree, type TreeNode } from './tree/grow-tree.ts';
import { createPairTable } from './tree/pair-table.ts';

const NEAREST = 20;
const TIE_SHARE = 0.99;

/** The whole inference, in the order that works: copies, blocks, quantised children, merges, depth changes, the tree, disguises. */
export async function inferHublineage(
  models: readonly LineageModel[],
  load: SampleLoader,
  options: LineageOptions,
): Promise<LineageResult> {
  const calibration = options.calibration ?? DEFAULT_CALIBRATION;
  const cache = createSampleCache(load, 600);
  const edges: Edge[] = [];
  const evidence: Evidence[] = [];
  const full = models.filter((m) => m.fingerprint.kind === 'full' && m.fingerprint.core.length > 0);
  const { classes, findings } = await findEqualModels(full, cache);
  let sources = classes.map((c) => c.source);
  const classOf = new Map<string, CopyClass>(classes.map((c) => [c.source.repo, c]));

  // casts: nearest relatives that become equal after rounding
  const castTo = new Map<string, string>();
  const blocksBefore = findBlocks(sources, { seed: options.seed, nearest: NEAREST });
  for (const block of blocksBefore) {
    const samples = await cache.get(block.members.map((i) => sources[i]!.repo));
    for (const i of block.members) {
      const model = sources[i]!;
      if (model.fingerprint.quantized) continue;
      for (const j of block.nearest.get(i)!.slice(0, 8)) {
        const other = sources[j]!;
        if (other.fingerprint.quantized || castTo.has(model.repo)) continue;
        const a = samples.get(model.repo);
        const b = samples.get(other.repo);
        if (!a || !b) continue;
        const cast = findCast(model, a, other, b);
        if (cast && cast.child === model.repo) {
          castTo.set(cast.child, cast.parent);
          findings.push(cast);
        }
      }
    }
  }
  for (const [child, parent] of castTo) {
    let root = parent;
    while (castTo.has(root) && castTo.get(root) !== child) root = castTo.get(root)!;
    const home = classOf.get(root)!;
    const cls = classOf.get(child)!;
    home.members.push(...cls.members);
    home.existedBy = Math.min(home.existedBy, cls.existedBy);
  }
  for (const finding of findings) {
    edges.push({
      child: finding.child,
      parent: finding.parent,
      relation: finding.relation,
      probability: 0.99,
      rank: 1,
      weight: null,
      method: finding.method,
      parentKind: 'repo',
    });
  }
  sources = sources.filter((m) => !castTo.has(m.repo));

  const trunk = sources.filter((m) => !m.fingerprint.quantized);
  for (const block of findBlocks(trunk, { seed: options.seed, nearest: NEAREST })) {
    const members = block.members.map((i) => trunk[i]!);
    const samples = await cache.get(members.map((m) => m.repo));
    const present = members.filter((m) => samples.has(m.repo));
    const index = new Map(present.map((m, i) => [m.repo, i]));
    const table = createPairTable(present.map((m) => samples.get(m.repo)!));
    const nodes: TreeNode[] = present.map((m) => ({
      repo: m.repo,
      existedBy: classOf.get(m.repo)!.existedBy,
      vocab: m.fingerprint.widths.vocab,
    }));
    const nearest = block.members
      .filter((i) => index.has(trunk[i]!.repo))
      .map((i) => block.nearest.get(i)!.flatMap((j) => index.get(trunk[j]!.repo) ?? []));
    const tree = growTree(table, nodes, nearest, calibration);
    const above = probabilityAbove(tree.parent, tree.rootScores);
    nodes.forEach((node, child) => {
      const parent = tree.parent[child]!;
      if (parent < 0) return;
      const candidates = tree.candidates[child]!;
      const weighed = weighCandidates(candidates, above[child]!, calibration);
      const chosen = candidates.findIndex((c) => c.parent === parent);
      const order = candidates
        .map((_, i) => i)
        .sort((a, b) =>
          a === chosen ? -1 : b === chosen ? 1 : weighed[b]!.probability - weighed[a]!.probability,
        );
      let mass = 0;
      order.forEach((i, rank) => {
        if (rank > 0 && (mass >= TIE_SHARE || weighed[i]!.probability < 0.005)) return;
        mass += weighed[i]!.probability;
        edges.push({
          child: node.repo,
          parent: nodes[candidates[i]!.parent]!.repo,
          relation: 'finetune',
          probability: weighed[i]!.probability,
          rank: rank + 1,
          weight: null,
          method: 'tree',
          parentKind: 'repo',
        });
        for (const [probe, logOdds] of Object.entries(weighed[i]!.logOdds))
          evidence.push({
            child: node.repo,
            parent: nodes[candidates[i]!.parent]!.repo,
            probe,
            outcome: logOdds > 0 ? 'supports' : logOdds < 0 ? 'contradicts' : 'neutral',
            value: candidates[i]!.terms[probe as 'geometry'] ?? null,
            logOdds,
            detail: probe,
          });
      });
    });
  }
  return { edges, evidence, families: familiesOf(models, edges), virtualParents: [], notes: [] };
}

/** For each node, the probability that the root is not in its subtree. */
export function probabilityAbove(parent: Int32Array, rootScores: Float64Array): Float64Array {
  const top = Math.max(...rootScores);
  const weights = rootScores.map((s) => Math.exp(s - top));
  const total = weights.reduce((a, b) => a + b, 0);
  const subtree = Float64Array.from(weights);
  const depth = new Int32Array(parent.length);
  parent.forEach((_, i) => {
    for (let v = parent[i]!; v >= 0; v = parent[v]!) depth[i]!++;
  });
  const order = [...parent.keys()].sort((a, b) => depth[b]! - depth[a]!);
  for (const v of order) if (parent[v]! >= 0) subtree[parent[v]!]! += subtree[v]!;
  return subtree.map((s) => Math.max(0, 1 - s / total));
}

/** Root and depth of every model along its first rank-1 parent. */
export function familiesOf(models: readonly LineageModel[], edges: readonly Edge[]): FamilyMember[] {
  const parents = new Map<string, string[]>();
  for (const e of edges) if (e.rank === 1) parents.set(e.child, [...(parents.get(e.child) ?? []), e.parent]);
  return models.map((m) => {
    let root = m.repo;
    let depth = 0;
    const seen = new Set([root]);
    for (;;) {
      const next = parents.get(root)?.[0];
      if (next === undefined || seen.has(next)) break;
      root = next;
      seen.add(root);
      depth++;
    }
    return { repo: m.repo, root, depth };
  });
}
