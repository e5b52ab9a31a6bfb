import {
  type AuditModelFacts,
  adapterFits,
  auditAll,
  pairKey,
  pairsToCompare,
  pairsToFit,
} from '../audit/index.ts';
import { relatedness } from '../lineage/index.ts';
import type { FingerprintSummary } from '../types/fingerprint.ts';
import type { Relatedness } from '../types/lineage.ts';
import type { RunContext } from './context.ts';
import { createSampleLoader } from './infer-stage.ts';
import { throwIfAborted } from './stopping.ts';

/** Pairs whose samples are in memory at once: some hundred kilobytes a model. */
const PAIRS_A_BATCH = 64;

/** Holds what every model declares against the inferred edges, and writes the verdicts. */
export async function audit(context: RunContext): Promise<void> {
  const { store, config } = context;
  const summaries = new Map<string, FingerprintSummary>();
  for await (const model of store.loadSummaries()) summaries.set(model.repo, model.fingerprint);

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
  const pairs = pairsToCompare(world);
  const fits = await fitAdapters(context, pairsToFit(world), summaries);
  const compared = await comparePairs(context, pairs, summaries);
  const verdicts = auditAll(
    { ...world, relatedness: compared, adapterFits: fits },
    { contradictionPValue: config.lineage.contradictionPValue },
  );
  await store.replaceVerdicts(verdicts, context.runId);
  context.counts.verdicts = verdicts.length;
}

/** ms since epoch; null for a date that is none */
function toTime(iso: string): number | null {
  const time = Date.parse(iso);
  return Number.isNaN(time) ? null : time;
}

async function comparePairs(
  context: RunContext,
  pairs: readonly { child: string; other: string }[],
  summaries: ReadonlyMap<string, FingerprintSummary>,
): Promise<Map<string, Relatedness>> {
  const load = createSampleLoader(context);
  const compared = new Map<string, Relatedness>();
  for (let start = 0; start < pairs.length; start += PAIRS_A_BATCH) {
    throwIfAborted(context.signal);
    const batch = pairs.slice(start, start + PAIRS_A_BATCH);
    const samples = await load([...new Set(batch.flatMap(({ child, other }) => [child, other]))]);
    for (const { child, other } of batch) {
      const [a, b] = [summaries.get(child), summaries.get(other)];
      const [tensorsA, tensorsB] = [samples.get(child), samples.get(other)];
      if (!a || !b || !tensorsA || !tensorsB) continue;
      const result = relatedness(
        { summary: a, tensors: tensorsA },
        { summary: b, tensors: tensorsB },
        { pairs: pairs.length },
      );
      compared.set(pairKey(child, other), result);
    }
  }
  return compared;
}

/** Whether each adapter could have been trained on the base it declares, by shapes alone. */
async function fitAdapters(
  context: RunContext,
  pairs: readonly { child: string; other: string }[],
  summaries: ReadonlyMap<string, FingerprintSummary>,
): Promise<Map<string, boolean>> {
  const load = createSampleLoader(context);
  const fits = new Map<string, boolean>();
  for (let start = 0; start < pairs.length; start += PAIRS_A_BATCH) {
    throwIfAborted(context.signal);
    const batch = pairs.slice(start, start + PAIRS_A_BATCH);
    const bases = await load([...new Set(batch.map(({ other }) => other))]);
    for (const { child, other } of batch) {
      const adapter = summaries.get(child)?.adapter;
      const tensors = bases.get(other);
      if (!adapter || !tensors) continue;
      const fit = adapterFits(adapter.targetShapes, tensors);
      if (fit !== null) fits.set(pairKey(child, other), fit);
    }
  }
  return fits;
}
