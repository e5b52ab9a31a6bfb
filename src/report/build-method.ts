import type { ReportMethod } from './document.ts';

export interface ReportOptions {
  /** origin of model links */
  hubUrl: string;
  /** `lineage.method` of the run */
  method: string;
  contradictionPValue: number;
  /** where a verdict can be disputed */
  disputeUrl?: string | null;
  /** findings with full detail; the rest is in the verdict lines */
  maxFindings?: number;
}

/** How the verdicts came about and how to dispute one, in plain sentences. */
export function buildMethod(options: ReportOptions): ReportMethod {
  return {
    name: options.method,
    contradictionPValue: options.contradictionPValue,
    statements: [
      'Parents are inferred from sampled weight values and file hashes. What authors declare is never evidence for an edge; it is what edges are held against.',
      `A declared base is called contradicted only when its weights were read too and the chance that a descendant would look so unlike it is below ${formatChance(options.contradictionPValue)}.`,
      'A relation counts as declared only when it was typed. The Hub shows "finetune" by default, and a default is nobody\'s statement.',
      'Probabilities of edges are calibrated against every other candidate in the index. A parent that is not in the index cannot be found; it may appear as an absent parent shared by several models.',
      "A verdict is about weights as they were read, not about anybody's intent: a card may name the wrong base through a template or a copied file.",
    ],
    dispute:
      'To dispute a verdict, send the repo, the revision, and what the model was trained from. Corrections are recorded in data/corrections.json with reason and link and are shown beside the verdict.',
    disputeUrl: options.disputeUrl ?? null,
    hubUrl: options.hubUrl.replace(/\/+$/, ''),
  };
}

/** 0.000001 as 1e-6, larger ones as they are. */
const formatChance = (p: number) => (p > 0 && p < 0.001 ? p.toExponential() : String(p));
