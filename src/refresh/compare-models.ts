import { explainPair, inferLineage, relatedness } from '../lineage/index.ts';
import type { Edge, Evidence, Relatedness } from '../types/lineage.ts';
import { ROUND_TRIP } from '../weights/index.ts';
import { hashCopies } from './hash-copies.ts';
import { createPositionsOf } from './positions-of.ts';
import { openSubject, type Subject, type SubjectContext } from './subject.ts';

export interface Comparison {
  a: Subject;
  b: Subject;
  relatedness: Relatedness;
  /** the likely edge between the two, seen alone; null when neither was made from the other */
  edge: Edge | null;
  /** what the edge's probability is made of */
  evidence: Evidence[];
  /** every probe, with b as parent of a and the other way round */
  probes: { aFromB: Evidence[]; bFromA: Evidence[] };
  /** what the index says of the two, which has seen their relatives as well */
  indexed: Edge[];
}

/** Everything that can be told about two models from their samples alone. */
export async function compareModels(
  nameA: string,
  nameB: string,
  context: SubjectContext,
): Promise<Comparison> {
  const [a, b] = await withHashes(
    ...withOneDate(await openSubject(nameA, context), await openSubject(nameB, context)),
  );
  const samples = new Map([
    [a.model.repo, [...a.tensors]],
    [b.model.repo, [...b.tensors]],
  ]);
  const { lineage, sampling } = context.config;
  const same = a.model.repo === b.model.repo;
  const result = await inferLineage(same ? [a.model] : [a.model, b.model], async () => samples, {
    method: 'hublineage',
    seed: lineage.seed,
    minProbability: lineage.minProbability,
    roundTrip: ROUND_TRIP,
    positions: createPositionsOf(sampling),
  });
  const edge = result.edges.find(({ rank, parentKind }) => rank === 1 && parentKind === 'repo') ?? null;
  const ask = (child: Subject, parent: Subject) =>
    dateless(explainPair(child, parent, { roundTrip: ROUND_TRIP }), child, parent);
  return {
    a,
    b,
    relatedness: relatedness(
      { summary: a.model.fingerprint, tensors: a.tensors },
      { summary: b.model.fingerprint, tensors: b.tensors },
      { pairs: 1 },
    ),
    edge,
    evidence:
      edge === null
        ? []
        : result.evidence.filter((row) => row.child === edge.child && row.parent === edge.parent),
    probes: { aFromB: ask(a, b), bFromA: ask(b, a) },
    indexed: await findIndexed(a, b, context),
  };
}

/** A folder has no date of creation: it takes the other side's, so that time speaks for neither direction. */
function withOneDate(a: Subject, b: Subject): [Subject, Subject] {
  if (a.origin === 'folder') return [{ ...a, model: { ...a.model, createdAt: b.model.createdAt } }, b];
  if (b.origin === 'folder') return [a, { ...b, model: { ...b.model, createdAt: a.model.createdAt } }];
  return [a, b];
}

async function withHashes(a: Subject, b: Subject): Promise<[Subject, Subject]> {
  return [await hashCopies(a, [b.model]), await hashCopies(b, [a.model])];
}

/** What the probe of dates says of a folder is no finding. */
function dateless(evidence: Evidence[], ...sides: Pick<Subject, 'origin'>[]): Evidence[] {
  if (sides.every(({ origin }) => origin !== 'folder')) return evidence;
  return evidence.map((row) =>
    row.probe === 'created-before'
      ? {
          ...row,
          outcome: 'not_available',
          value: null,
          logOdds: 0,
          detail: 'A folder has no date of creation.',
        }
      : row,
  );
}

async function findIndexed(a: Subject, b: Subject, { store }: SubjectContext): Promise<Edge[]> {
  if (store === null || a.origin !== 'index' || b.origin !== 'index') return [];
  const names = [a.name, b.name, b.name, a.name];
  const rows = await store.readView('edges', {
    where: '(child = ? AND parent = ?) OR (child = ? AND parent = ?)',
    params: names,
    order: 'rank',
  });
  return rows.map(({ parent_kind, ...row }) => ({ ...row, parentKind: parent_kind }));
}
