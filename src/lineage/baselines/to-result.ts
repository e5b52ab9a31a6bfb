import type { Edge, LineageModel, LineageResult, Relation } from '../../types/lineage.ts';
import { familiesOf } from '../assemble.ts';
import { gridDtype } from '../copies.ts';

/** A baseline's answer for one child. Baselines give no probabilities: 1 stands for "chosen". */
export interface BaselineEdge {
  child: LineageModel;
  parent: LineageModel;
  /** squared distance 0 over the core */
  equal?: boolean;
}

/** Relations as a reader of dtypes would name them, so that scores by relation can be compared. */
export function toResult(
  models: readonly LineageModel[],
  found: readonly BaselineEdge[],
  method: string,
  notes: string[],
): LineageResult {
  const edges: Edge[] = found.map(({ child, parent, equal }) => ({
    child: child.repo,
    parent: parent.repo,
    relation: relationOf(child, parent, equal ?? false),
    probability: 1,
    rank: 1,
    weight: null,
    method,
    parentKind: 'repo',
  }));
  return { edges, evidence: [], families: familiesOf(models, edges), virtualParents: [], notes };
}

function relationOf(child: LineageModel, parent: LineageModel, equal: boolean): Relation {
  if (child.fingerprint.quantized) return 'quantized';
  if (!equal) return 'finetune';
  return gridDtype(child.fingerprint.dtype) === gridDtype(parent.fingerprint.dtype) ? 'duplicate' : 'cast';
}
