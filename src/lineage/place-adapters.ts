import type { LineageModel } from '../types/lineage.ts';
import { measureOutputFit } from './adapter-fits-outputs.ts';
import { withoutLine } from './calibration.ts';
import { existedBefore } from './existed-before.ts';
import { countChildren, type FamilyTree, type World } from './family-tree.ts';
import type { ChildFinding } from './findings.ts';
import type { ModelSamples } from './model-samples.ts';
import { splitTies } from './tie-set.ts';

/** Bases an adapter could belong to: members with children of their own, and roots. More are not told apart by shapes anyway. */
const MAX_CANDIDATES = 12;

/** Do the matrices an adapter targets have the shapes its factors ask for? All of those both know must agree. */
export function shapesFit(adapter: LineageModel, shapes: ReadonlyMap<string, readonly number[]>): boolean {
  const wanted = Object.entries(adapter.fingerprint.adapter?.targetShapes ?? {});
  let agreed = 0;
  for (const [name, [out, inner]] of wanted) {
    const shape = shapes.get(name) ?? shapes.get(`${name}.weight`);
    if (!shape || shape.length < 2) continue;
    const cols = shape.slice(1).reduce((a, b) => a * b, 1);
    if (shape[0] !== out || cols !== inner) return false;
    agreed++;
  }
  return agreed > 0 && agreed >= Math.min(4, wanted.length);
}

export function shapesOf(samples: ModelSamples): Map<string, readonly number[]> {
  return new Map(samples.tensors.map((t) => [t.name, t.shape]));
}

/**
 * Low-rank factors say on which shapes they work and, in small models, to which family's output projection they write; not which of
 * several relatives they were trained on. So the candidates are the roots and hubs of the families that fit, weighed by how many
 * children they have and by time; the probability stays what that is worth.
 */
export function placeAdapter(
  adapter: LineageModel,
  samples: ModelSamples | undefined,
  families: readonly FamilyTree[],
  world: World,
): ChildFinding | null {
  const fitting = families.filter((f) => shapesFit(adapter, shapesOf(f.table.samples(f.tree.root))));
  const rivals = fitting.flatMap((family) => {
    const children = countChildren(family);
    const base = family.table.samples(family.tree.root);
    const headDim =
      family.members.find((m) => m.fingerprint.widths.headDim !== null)?.fingerprint.widths.headDim ?? null;
    const fit = samples ? measureOutputFit(samples, base, world.options.positions, headDim) : null;
    // measured on families with known adapters: 3 to 4 for the right family, at most 1 for others; products are not independent
    const fitTerm = fit === null ? 0 : Math.max(-2, Math.min(3, 0.7 * fit));
    return family.nodes.flatMap((node, i) => {
      if (i >= family.members.length - family.foreign && family.foreign > 0) return [];
      const isRoot = i === family.tree.root;
      if (!isRoot && children[i]! === 0) return [];
      // every other member of the family is a possible base too, each a little
      const terms = {
        'adapter-shapes-fit': 0,
        'adapter-fits-outputs': fitTerm,
        'has-many-children': world.calibration.adapterHub * Math.log(1 + children[i]!) + (isRoot ? 0.5 : 0),
        'created-before': existedBefore(node.existedBy, adapter.createdAt) ? 0 : -world.calibration.time / 2,
      };
      return [
        {
          repo: node.repo,
          terms,
          score: Object.values(terms).reduce((a, b) => a + b, 0),
          values: {
            'has-many-children': children[i]!,
            ...(fit === null ? {} : { 'adapter-fits-outputs': fit }),
          },
          details: {
            'adapter-fits-outputs':
              fit === null
                ? 'The samples of the adapter and of the output projection do not overlap enough to tell.'
                : `The adapter's value factors lean towards the rows of this family's output projection by ${fit.toFixed(1)} standard errors.`,
            'adapter-shapes-fit':
              'The matrices the adapter targets have these shapes here; factors alone do not tell models of one shape apart.',
          },
        },
      ];
    });
  });
  if (rivals.length === 0) return null;
  rivals.sort((a, b) => b.score - a.score || (a.repo < b.repo ? -1 : 1));
  const kept = rivals.slice(0, MAX_CANDIDATES);
  // the chance that it is none of those listed: a leaf, a model that is not in the index
  const split = splitTies(kept, 0, 0.9, withoutLine(world.calibration));
  return {
    child: adapter.repo,
    relation: 'adapter',
    method: 'shape',
    chosen: [split.chosen],
    ties: split.ties,
  };
}
