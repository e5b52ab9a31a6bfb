import { type AuditModelFacts, auditAll, pairsToCompare, pairsToFit } from '../audit/index.ts';
import type { FingerprintSummary } from '../types/fingerprint.ts';
import { comparePairs, fitAdapters } from './compare-pairs.ts';
import type { RunContext } from './context.ts';
import { createSampleLoader } from './infer-stage.ts';

/** Holds what every model declares against the inferred edges, and writes the verdicts. */
export async function audit(context: RunContext): Promise<void> {
  const { store, config } = context;
  const summaries = new Map<string, FingerprintSummary>();
  // cores are for searching all pairs: 16 kB a model that nothing here looks at
  for await (const { repo, fingerprint } of store.loadSummaries())
    summaries.set(repo, { ...fingerprint, core: new Float32Array(0) });

  const models: AuditModelFacts[] = [];
  for await (const { repo, status, hub } of store.iterateRepos({ families: config.scope.families })) {
    const summary = summaries.get(repo);
    models.push({
      repo,
      status,
      kind: summary?.kind ?? 'full',
      shape: summary ? { family: summary.family, widths: summary.widths } : null,
      createdAt: toTime(hub.createdAt),
    });
  }

  await store.resolveClaims();
  const edges = await store.loadEdges();
  const disguised = edges.filter((edge) => edge.relation === 'transformed');
  const world = {
    models,
    claims: await store.loadClaims(),
    edges,
    families: await store.loadFamilies(),
    virtualParents: await store.loadVirtualParents(),
    transformedAlarms: new Set(disguised.map((edge) => edge.child)),
  };
  const work = { summaries, load: createSampleLoader(context), signal: context.signal };
  const fits = await fitAdapters(pairsToFit(world), work);
  const compared = await comparePairs(pairsToCompare(world), work);
  const verdicts = auditAll(
    { ...world, relatedness: compared, adapterFits: fits },
    { contradictionPValue: config.lineage.contradictionPValue },
  );
  await store.replaceVerdicts(verdicts, context.runId);
  context.counts.verdicts = verdicts.length;
}

/** ms since epoch; null for a date that is none */
export function toTime(iso: string): number | null {
  const time = Date.parse(iso);
  return Number.isNaN(time) ? null : time;
}
