import { hierarchy, tree } from 'd3-hierarchy';
import type { ViewRows } from '../../store/index.ts';
import type { Relation } from '../../types/lineage.ts';
import { type ModelCard, readCards, readEdgesOf } from './cards.ts';
import type { OutlineSource } from './outline.ts';

/** Dots on one map: more would neither be read nor be a page of reasonable size. */
const MAX_MAP_MODELS = 700;
/** room left for the models on the ways up, which may be anything but well known */
const WAY_MODELS = 150;
const MAX_DEPTH = 64;

export interface MapNode extends ModelCard {
  parent: string | null;
  relation: Relation | null;
  depth: number;
  /** drawn models below it */
  drawnBelow: number;
  /** place in a square from -1 to 1 */
  x: number;
  y: number;
}

export interface FamilyMap {
  /** parents before children */
  nodes: MapNode[];
  isWhole: boolean;
}

/** The models of a map with their places. A large family is cut down to its most downloaded models and the way to each from the root. */
export async function readFamilyMap(source: OutlineSource, root: ViewRows['roots']): Promise<FamilyMap> {
  const { store } = source;
  const isWhole = root.models <= MAX_MAP_MODELS;
  const chosen = isWhole
    ? await store.readView('families', {
        where: 'root = ?',
        params: [root.root],
        order: 'depth, repo',
        limit: MAX_MAP_MODELS,
      })
    : await store.readView('models', {
        where: 'family_root = ?',
        params: [root.root],
        order: 'downloads DESC, repo',
        limit: MAX_MAP_MODELS - WAY_MODELS,
      });
  const edges = await readWays(
    source,
    root.root,
    chosen.map((row) => row.repo),
  );
  const names = [root.root, ...edges.keys()];
  const cards = await readCards(store, source.labels, names);
  return { nodes: place(root.root, edges, cards), isWhole };
}

/** child -> its edge, for the models given and everything above them up to the root. */
async function readWays(
  { store }: OutlineSource,
  root: string,
  repos: readonly string[],
): Promise<Map<string, ViewRows['edges']>> {
  const edges = new Map<string, ViewRows['edges']>();
  const asked = new Set([root]);
  let wanted = repos.filter((repo) => repo !== root);
  for (let step = 0; step < MAX_DEPTH && wanted.length > 0; step++) {
    for (const repo of wanted) asked.add(repo);
    for (const edge of await readEdgesOf(store, wanted)) {
      // the first is the one with the largest share
      if (!edges.has(edge.child)) edges.set(edge.child, edge);
    }
    wanted = [...new Set([...edges.values()].map((edge) => edge.parent))].filter((repo) => !asked.has(repo));
  }
  return edges;
}

interface Item {
  repo: string;
  children: Item[];
}

/** Radial tree, the root in the middle; whatever a cycle or a broken row cuts off from the root is left out. */
function place(
  root: string,
  edges: ReadonlyMap<string, ViewRows['edges']>,
  cards: ReadonlyMap<string, ModelCard>,
): MapNode[] {
  const below = Map.groupBy(edges.values(), (edge) => edge.parent);
  const seen = new Set([root]);
  const top: Item = { repo: root, children: [] };
  for (let level = [top]; level.length > 0; ) {
    const next: Item[] = [];
    for (const item of level) {
      for (const edge of below.get(item.repo) ?? []) {
        if (seen.has(edge.child)) continue;
        seen.add(edge.child);
        const child = { repo: edge.child, children: [] };
        item.children.push(child);
        next.push(child);
      }
    }
    level = next;
  }
  const laid = tree<Item>()
    .size([2 * Math.PI, 1])
    .separation((a, b) => (a.parent === b.parent ? 1 : 2) / Math.max(1, a.depth))(
    hierarchy(top)
      .count()
      .sort((a, b) => (b.value ?? 0) - (a.value ?? 0) || (a.data.repo < b.data.repo ? -1 : 1)),
  );
  // a chain to one side would leave most of the picture empty
  const places = laid
    .descendants()
    .map((node) => [node.y * Math.sin(node.x), -node.y * Math.cos(node.x)] as const);
  const bounds = [0, 1].map((axis) => {
    const values = places.map((at) => at[axis]!);
    return { low: Math.min(...values), high: Math.max(...values) };
  });
  const [h, v] = bounds as [{ low: number; high: number }, { low: number; high: number }];
  const scale = 2 / Math.max(1e-9, h.high - h.low, v.high - v.low);
  return laid.descendants().map((node, i) => {
    const edge = edges.get(node.data.repo) ?? null;
    return {
      ...cards.get(node.data.repo)!,
      parent: node.parent?.data.repo ?? null,
      relation: edge?.relation ?? null,
      depth: node.depth,
      drawnBelow: node.descendants().length - 1,
      x: Number(((places[i]![0] - (h.low + h.high) / 2) * scale).toFixed(4)),
      y: Number(((places[i]![1] - (v.low + v.high) / 2) * scale).toFixed(4)),
    };
  });
}
