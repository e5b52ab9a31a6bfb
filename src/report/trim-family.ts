import type { FamilyNode, ReportFamily } from './document.ts';

/**
 * The part of a family one model's reader wants: the way up to the root, the model's siblings, everything below it. Counts of the family
 * stay those of the whole, so that what is left out can be said.
 */
export function trimFamily(family: ReportFamily, repo: string): ReportFamily {
  const byRepo = new Map(family.nodes.map((node) => [node.repo, node]));
  const self = byRepo.get(repo);
  if (!self) return family;
  const kept = new Set<string>();
  for (
    let at: FamilyNode | undefined = self;
    at && !kept.has(at.repo);
    at = at.parent === null ? undefined : byRepo.get(at.parent)
  ) {
    kept.add(at.repo);
  }
  for (const { parent } of self.otherParents) if (byRepo.has(parent)) kept.add(parent);
  const below = new Set([repo]);
  for (const node of family.nodes) {
    // reading order: a parent is always seen before its children
    if (node.parent !== null && below.has(node.parent)) below.add(node.repo);
    if (node.parent === self.parent || below.has(node.repo)) kept.add(node.repo);
  }
  const ancestorsOfOthers = self.otherParents.flatMap(({ parent }) => pathUp(parent, byRepo));
  for (const name of ancestorsOfOthers) kept.add(name);
  return { ...family, nodes: family.nodes.filter((node) => kept.has(node.repo)) };
}

function pathUp(repo: string, byRepo: ReadonlyMap<string, FamilyNode>): string[] {
  const path: string[] = [];
  const seen = new Set<string>();
  for (
    let at = byRepo.get(repo);
    at && !seen.has(at.repo);
    at = at.parent === null ? undefined : byRepo.get(at.parent)
  ) {
    seen.add(at.repo);
    path.push(at.repo);
  }
  return path;
}
