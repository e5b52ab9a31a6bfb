import type { ResolvedClaim } from '../types/claims.ts';
import type { Edge, FamilyMember, Relatedness, VirtualParent } from '../types/lineage.ts';
import type { ModelStatus } from '../types/verdict.ts';
import type { Family, ModelWidths } from '../types/weights.ts';

/** What decides whether two models can have a matrix in common; from the fingerprint's summary. */
export interface ModelShape {
  family: Family;
  widths: ModelWidths;
}

/** What the audit must know of a repo somebody declared as parent, or that was inferred as one. */
export interface DeclaredFacts {
  repo: string;
  status: ModelStatus;
  /** whether full weights of it are known: its own fingerprint, or that of an equal file */
  hasWeights: boolean;
  /** root of its component (repo or virtual id), null when it is in none */
  root: string | null;
  /** repos holding the same values (copies, casts), itself included */
  equivalents: readonly string[];
  /** its inferred ancestors, nearest first */
  ancestors: readonly string[];
  shape: ModelShape | null;
  /** ms since epoch, null when not known */
  createdAt: number | null;
  /** its values are a rounded form of its parent's (quantised, cast): that edge cannot point the other way */
  rounded: boolean;
  /** the model it is a quantised copy of, else null */
  quantizedFrom: string | null;
}

/** One model with everything its verdict depends on. Pure data; repo names are spelled as the index spells them. */
export interface AuditInput {
  repo: string;
  status: ModelStatus;
  kind: 'full' | 'adapter';
  shape: ModelShape | null;
  /** ms since epoch, null when not known */
  createdAt: number | null;
  claims: readonly ResolvedClaim[];
  /** edges with child = repo: rank 1 (several for a merge) and its ties */
  edges: readonly Edge[];
  /** inferred ancestors, nearest first, with their copies and casts */
  ancestors: readonly string[];
  root: string | null;
  /** repos holding the same values, itself included */
  equivalents: readonly string[];
  /** facts about each resolved declared repo and each inferred parent, by repo */
  facts: ReadonlyMap<string, DeclaredFacts>;
  /** repos any inferred ancestor declares or hints at; whoever repeats an ancestor's word is not accused on shapes alone */
  ancestorsDeclare: ReadonlySet<string>;
  virtualParents: ReadonlyMap<string, VirtualParent>;
  /** comparison of this model with another one, by that one's name; missing = not compared */
  relatedness: ReadonlyMap<string, Relatedness>;
  /** an adapter's targets against a base's tensors: false = some shape cannot fit; missing = not checked */
  adapterFits: ReadonlyMap<string, boolean>;
  /** an alarm says units may have been permuted: values at equal places then mean nothing */
  transformedAlarm: boolean;
}

export interface AuditOptions {
  /** `contradicted` needs a chance below this (config: lineage.contradictionPValue) */
  contradictionPValue: number;
}

export interface AuditModelFacts {
  repo: string;
  status: ModelStatus;
  kind: 'full' | 'adapter';
  /** without it, nobody is judged by widths */
  shape?: ModelShape | null;
  /** ms since epoch; without it, nobody is told that what they declare came later */
  createdAt?: number | null;
}

/** The whole index as the audit sees it. */
export interface AuditWorld {
  models: readonly AuditModelFacts[];
  /** resolved claims by repo; missing = none */
  claims: ReadonlyMap<string, readonly ResolvedClaim[]>;
  edges: readonly Edge[];
  families: readonly FamilyMember[];
  virtualParents: readonly VirtualParent[];
  /** repos for which a transformed/permutation alarm was raised */
  transformedAlarms?: ReadonlySet<string>;
  /** by `pairKey(child, other)`; `pairsToCompare` says which are wanted */
  relatedness: ReadonlyMap<string, Relatedness>;
  /** by `pairKey(adapter, base)`: what `adapterFits` said, nulls left out; `pairsToFit` says which are wanted */
  adapterFits?: ReadonlyMap<string, boolean>;
}

/** A person's word on a verdict, shown beside it and used in nothing else. */
export interface Correction {
  repo: string;
  /** `disputed`, `confirmed by hand`, or the verdict the person would give */
  verdict: string;
  reason: string;
  link: string | null;
  by: string;
  /** YYYY-MM-DD */
  date: string;
}
