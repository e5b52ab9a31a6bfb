import { HublineageError } from '../../../types/errors.ts';

/** A node of a tree: leaves have a name, inner nodes have children. */
export interface TreeNode {
  name: string | null;
  /** to its parent; neighbour joining may give negative ones where distances are not additive */
  length: number;
  children: TreeNode[];
}

/** n^3 steps: a thousand models take a second or two. */
const MAX_LEAVES = 1000;

/**
 * Neighbour joining (Saitou and Nei 1987, with Studier and Keppler's formulas of 1988). The tree is unrooted: the node returned joins the
 * last three subtrees and is no ancestor of anybody. Equal choices go to the pair that comes first.
 * @param distance symmetric, zero on its diagonal, one row a name; UsageInvalid for other shapes, non-finite values or more than 1,000 names
 */
export function joinNeighbours(names: readonly string[], distance: readonly (readonly number[])[]): TreeNode {
  check(names, distance);
  const nodes: TreeNode[] = names.map((name) => ({ name, length: 0, children: [] }));
  if (nodes.length === 1) return nodes[0]!;
  const d = distance.map((row) => Float64Array.from(row));
  let active = nodes.map((_, i) => i);
  const sums = new Float64Array(nodes.length);
  while (active.length > 3) {
    const n = active.length;
    for (const i of active) sums[i] = sumOf(d[i]!, active);
    const [f, g] = nearestPair(d, active, sums);
    const between = d[f]![g]!;
    const toF = between / 2 + (sums[f]! - sums[g]!) / (2 * (n - 2));
    nodes[f]!.length = toF;
    nodes[g]!.length = between - toF;
    // the joined pair lives on at the place of its first half
    nodes[f] = { name: null, length: 0, children: [nodes[f]!, nodes[g]!] };
    for (const k of active) {
      if (k === f || k === g) continue;
      const away = (d[f]![k]! + d[g]![k]! - between) / 2;
      d[f]![k] = away;
      d[k]![f] = away;
    }
    active = active.filter((i) => i !== g);
  }
  const [a, b, c] = active as [number, number, number?];
  if (c === undefined) {
    nodes[a]!.length = d[a]![b]! / 2;
    nodes[b]!.length = d[a]![b]! / 2;
  } else {
    nodes[a]!.length = (d[a]![b]! + d[a]![c]! - d[b]![c]!) / 2;
    nodes[b]!.length = (d[a]![b]! + d[b]![c]! - d[a]![c]!) / 2;
    nodes[c]!.length = (d[a]![c]! + d[b]![c]! - d[a]![b]!) / 2;
  }
  return { name: null, length: 0, children: active.map((i) => nodes[i]!) };
}

function sumOf(row: Float64Array, active: readonly number[]): number {
  let sum = 0;
  for (const k of active) sum += row[k]!;
  return sum;
}

/** The pair with the smallest Q = (n - 2) d_ij - r_i - r_j. */
function nearestPair(
  d: readonly Float64Array[],
  active: readonly number[],
  sums: Float64Array,
): [number, number] {
  const n = active.length;
  let best = Number.POSITIVE_INFINITY;
  let pair: [number, number] = [-1, -1];
  for (let x = 0; x < n; x++) {
    const i = active[x]!;
    const row = d[i]!;
    const sum = sums[i]!;
    for (let y = x + 1; y < n; y++) {
      const j = active[y]!;
      const q = (n - 2) * row[j]! - sum - sums[j]!;
      if (q < best) {
        best = q;
        pair = [i, j];
      }
    }
  }
  return pair;
}

/** The tree in Newick's format, names quoted where they hold anything but letters, digits, `.` and `-`. */
export function toNewick(root: TreeNode): string {
  const write = (node: TreeNode, top: boolean): string => {
    const inner =
      node.children.length > 0 ? `(${node.children.map((child) => write(child, false)).join(',')})` : '';
    const length = top ? '' : `:${Number(node.length.toFixed(6)) + 0}`;
    return `${inner}${node.name === null ? '' : toLabel(node.name)}${length}`;
  };
  return `${write(root, true)};`;
}

function toLabel(name: string): string {
  // an underscore in a plain label reads as a blank, so names with one are quoted
  return /^[A-Za-z0-9.-]+$/.test(name) ? name : `'${name.replaceAll("'", "''")}'`;
}

function check(names: readonly string[], distance: readonly (readonly number[])[]): void {
  const fail = (message: string) => {
    throw new HublineageError('UsageInvalid', message, { where: 'distance matrix' });
  };
  if (names.length === 0) fail('a tree needs at least one model');
  if (names.length > MAX_LEAVES)
    fail(`a tree of ${names.length} models is more than neighbour joining takes (${MAX_LEAVES})`);
  if (distance.length !== names.length || distance.some((row) => row.length !== names.length))
    fail('the matrix has not one row and column a model');
  for (const [i, row] of distance.entries()) {
    if (row[i] !== 0) fail('the distance of a model to itself is zero');
    for (const [j, x] of row.entries())
      if (!Number.isFinite(x) || distance[j]![i] !== x) fail('distances must be finite and symmetric');
  }
}
