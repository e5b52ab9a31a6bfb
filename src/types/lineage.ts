import type { FingerprintSummary } from './fingerprint.ts';

export const RELATIONS = [
  'finetune',
  'adapter',
  'merge',
  'quantized',
  'duplicate',
  'cast',
  'upscaled',
  'pruned',
  'transformed',
] as const;
export type Relation = (typeof RELATIONS)[number];

export const OUTCOMES = [
  'supports',
  'contradicts',
  'neutral',
  'not_available',
  'not_applicable',
  'error',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One finding of one probe about one edge. Positive log-odds (natural log) speak for the edge. */
export interface Evidence {
  child: string;
  parent: string;
  /** name of the probe = name of its file, e.g. `equal-after-rounding` */
  probe: string;
  outcome: Outcome;
  /** the number measured, in the probe's own unit; null where there is none */
  value: number | null;
  logOdds: number;
  /** one plain sentence */
  detail: string;
}

export interface Edge {
  child: string;
  parent: string;
  relation: Relation;
  /** calibrated probability that this parent is the right one, against every other candidate and against none */
  probability: number;
  /** 1 = chosen; 2.. = statistical ties, best first. Every parent of a merge has rank 1. */
  rank: number;
  /** share in a merge, else null */
  weight: number | null;
  /** what built it: `hash`, `values`, `rounding`, `requantise`, `nnls`, `layers`, `tree`, `transformed`, `shape`, or the name of a baseline method */
  method: string;
  parentKind: 'repo' | 'virtual';
}

/** Sampled weights of a model that nobody has read, estimated from its children's. */
export interface EstimatedCore {
  /** layout of the values, as in `Fingerprint.coreKey` */
  key: string;
  values: Float32Array;
  /** expected distance from the model's own core over that core's length */
  relativeError: number;
  /** children it was estimated from */
  from: number;
}

/** A parent that is not in the index, reconstructed from its children's geometry. */
export interface VirtualParent {
  /** `virtual/<family>-<hash>`; used as `parent` in edges */
  id: string;
  /** absent base that most of its children declare, shown as declared, else null */
  declaredLabel: string | null;
  children: string[];
  /** absent or null where the children do not determine it */
  core?: EstimatedCore | null;
}

/** One model as inference sees it. Facts only: declarations are not here on purpose. */
export interface LineageModel {
  /** `owner/name`; the key of everything inference returns */
  repo: string;
  owner: string;
  /** ms since epoch */
  createdAt: number;
  /** samples come from a SampleLoader when a step needs them */
  fingerprint: FingerprintSummary;
}

export interface FamilyMember {
  repo: string;
  /** repo or virtual id at the top */
  root: string;
  /** edges from the root along rank-1 parents (shortest) */
  depth: number;
}

export interface LineageResult {
  edges: Edge[];
  evidence: Evidence[];
  families: FamilyMember[];
  virtualParents: VirtualParent[];
  /** remarks for the log: components too large for a step, models left out, ... */
  notes: string[];
}

/** How two models compare, for verdicts about declared parents that are not inferred ones. */
export interface Relatedness {
  /** `related`, `unrelated` (far outside chance), `undecided` (too few common values, or near the null), `incomparable` (no common widths) */
  outcome: 'related' | 'unrelated' | 'undecided' | 'incomparable';
  /** cosine over common samples, each tensor whitened; null when incomparable */
  cosine: number | null;
  /** standard deviation of the cosine under the null of independent training */
  nullSd: number | null;
  /** relative distance |a-b|/|b| over common samples */
  relativeDistance: number | null;
  /** share of bit-equal values among common samples */
  equalShare: number | null;
  commonTensors: number;
  commonValues: number;
}
