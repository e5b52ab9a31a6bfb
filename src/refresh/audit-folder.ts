import {
  type AuditModelFacts,
  auditModel,
  buildAuditInputs,
  pairsToCompare,
  pairsToFit,
} from '../audit/index.ts';
import { extractClaims, parseFrontMatter } from '../claims/index.ts';
import { suggestCardPatch } from '../report/index.ts';
import type { Store } from '../store/index.ts';
import type { Claim, ResolvedClaim } from '../types/claims.ts';
import { HublineageError, isHublineageError } from '../types/errors.ts';
import type { FingerprintSummary } from '../types/fingerprint.ts';
import type { HubRepo, RepoFiles } from '../types/hub.ts';
import type { Edge, FamilyMember } from '../types/lineage.ts';
import type { Verdict } from '../types/verdict.ts';
import { toTime } from './audit-stage.ts';
import { comparePairs, fitAdapters } from './compare-pairs.ts';
import { type DeclaredBases, resolveDeclaredBases } from './declared-bases.ts';
import { readExtraClaims } from './extra-claims.ts';
import { type Identification, placeSubject, withExtraSamples } from './identify.ts';
import { createSampleLoader } from './infer-stage.ts';
import { isFolder, openFolder, type Subject, type SubjectContext } from './subject.ts';

const CARD = 'README.md';
const MAX_CARD_BYTES = 1_000_000;

export interface FolderAudit extends Omit<Identification, 'compared'> {
  claims: ResolvedClaim[];
  /** about the folder as it was called */
  verdict: Verdict;
  /** the suggested change to the card, as a unified diff, or null */
  cardPatch: string | null;
  /** 1-based line of `base_model` in the card; null without card or key */
  cardLine: number | null;
  /** remarks: broken front matter, bases that could not be read */
  notes: string[];
}

/**
 * Checks a model folder and its card before it is published: what the card declares, held against where the weights fall in the index.
 * Reads only; bases the index lacks are read from the Hub, a few megabytes each.
 * @param as the repo it is, or will be, published as; its own entry in the index is then no parent
 * @throws HublineageError UsageInvalid, and whatever opening the folder says
 */
export async function auditFolder(
  folder: string,
  context: SubjectContext & { store: Store },
  as: string | null = null,
): Promise<FolderAudit> {
  if (!isFolder(folder))
    throw new HublineageError('UsageInvalid', `There is no folder ${folder}.`, {
      where: folder,
      hint: 'Name the folder that holds the weights and README.md of one model.',
    });
  const { store, config, signal } = context;
  const published = as === null ? null : await store.getRepo(as);
  const opened = await openFolder(folder, context);
  // its own children are in the index: made today, it would be taken for one of theirs
  const createdAt = toTime(published?.hub.createdAt ?? '') ?? opened.model.createdAt;
  const subject = { ...opened, model: { ...opened.model, createdAt } };
  const card = await readCard(subject);
  const extracted = await readFolderClaims(subject, card, as);
  const bases = await resolveDeclaredBases(extracted.claims, context);
  const without = new Set(as === null ? [] : [as, published?.repo ?? as]);
  const { compared: _compared, ...place } = await placeSubject(subject, context, {
    extra: bases.read,
    without,
  });
  // a base read just now may be a copy of what the index holds under another name
  const placedBases: Place[] = [];
  for (const base of bases.read) placedBases.push(await placeSubject(base, context, { without }));
  const world = await gatherWorld({ ...place, subject }, placedBases, bases, without, store);
  const work = {
    summaries: world.summaries,
    load: withExtraSamples(createSampleLoader({ store, signal }), [subject, ...bases.read]),
    signal,
  };
  const mine = ({ child }: { child: string }) => child === subject.model.repo;
  const [input] = buildAuditInputs({
    ...world,
    relatedness: await comparePairs(pairsToCompare(world).filter(mine), work),
    adapterFits: await fitAdapters(pairsToFit(world).filter(mine), work),
  });
  if (input === undefined)
    throw new HublineageError('Unexpected', 'The folder is missing from its own audit.');
  const verdict = auditModel(input, config.lineage);
  const typed = bases.claims.filter((claim) => claim.source === 'card').map((claim) => claim.raw);
  return {
    ...place,
    claims: bases.claims,
    verdict: { ...verdict, repo: folder },
    cardPatch: suggestCardPatch({ ...verdict, declared: typed, readme: card, edges: input.edges }),
    cardLine: card === null ? null : (parseFrontMatter(card).lines.base_model ?? null),
    notes: [
      ...(card === null ? ['There is no README.md: nothing is declared but what the files say.'] : []),
      ...extracted.notes,
      ...bases.unread.map(({ repo, code, message }) => `${repo} could not be read (${code}): ${message}`),
      ...bases.read.map(
        ({ name }) => `${name} is not in the index; it was read from the Hub for this check.`,
      ),
    ],
  };
}

async function readCard({ opened }: Subject): Promise<string | null> {
  if (opened === null) return null;
  try {
    return new TextDecoder().decode(await opened.files.readSmall(CARD, MAX_CARD_BYTES));
  } catch (error) {
    if (isHublineageError(error, 'FileMissing')) return null;
    throw error;
  }
}

async function readFolderClaims(
  { opened, model }: Subject,
  readme: string | null,
  as: string | null,
): Promise<{ claims: Claim[]; notes: string[] }> {
  if (opened === null) return { claims: [], notes: [] };
  const repo = toUnpublished(as ?? model.repo, readme);
  const files: RepoFiles = opened.files;
  const extra = await readExtraClaims(repo, files, await files.list(), opened.weights);
  return extractClaims({ repo, readme, ...extra });
}

/** A folder in the shape of a listing row: what the Hub would make of its card is not known before it is there. */
function toUnpublished(repo: string, readme: string | null): HubRepo {
  return {
    hubId: '',
    repo,
    sha: null,
    createdAt: '',
    lastModified: null,
    downloads: 0,
    likes: 0,
    gated: false,
    private: true,
    disabled: false,
    tags: [],
    pipelineTag: null,
    libraryName: null,
    cardData: readme === null ? null : parseFrontMatter(readme).data,
    config: null,
    files: [],
    safetensors: null,
    gguf: null,
    baseModels: null,
  };
}

type Place = Pick<Identification, 'subject' | 'edges' | 'root'>;

/** The part of the index this verdict depends on, the folder first. */
async function gatherWorld(
  place: Place,
  placedBases: readonly Place[],
  bases: DeclaredBases,
  without: ReadonlySet<string>,
  store: Store,
) {
  const { subject } = place;
  const own = subject.model.repo;
  const stored = (await store.loadEdges()).filter((edge) => !without.has(edge.child));
  const edges = [...place.edges, ...placedBases.flatMap((base) => base.edges), ...stored];
  const families = await store.loadFamilies();
  const named = new Set([
    ...bases.claims.flatMap((claim) => claim.resolvedRepo ?? []),
    ...place.edges.map((edge) => edge.parent),
    ...listAncestors(own, edges),
  ]);
  const models: AuditModelFacts[] = [toFacts(subject)];
  const claims = new Map<string, readonly ResolvedClaim[]>([[own, bases.claims]]);
  const summaries = new Map<string, FingerprintSummary>([[own, subject.model.fingerprint]]);
  for (const one of bases.read) {
    models.push(toFacts(one));
    summaries.set(one.model.repo, one.model.fingerprint);
  }
  for (const { repo, status } of bases.unread) models.push({ repo, status, kind: 'full' });
  for (const name of named) {
    const row = models.some(({ repo }) => repo === name) ? null : await store.getRepo(name);
    if (row === null) continue;
    const summary = (await store.loadSummary(row.repo))?.fingerprint;
    if (summary) summaries.set(row.repo, summary);
    claims.set(row.repo, await store.getClaims(row.hubId));
    models.push({
      repo: row.repo,
      status: row.status,
      kind: summary?.kind ?? 'full',
      shape: summary ? { family: summary.family, widths: summary.widths } : null,
      createdAt: toTime(row.hub.createdAt),
    });
  }
  return {
    models,
    claims,
    edges,
    families: [...families, ...[place, ...placedBases].map((one) => toMember(one, families))],
    virtualParents: await store.loadVirtualParents(),
    transformedAlarms: new Set(
      edges.filter((edge) => edge.relation === 'transformed').map((edge) => edge.child),
    ),
    summaries,
  };
}

function toFacts({ model }: Subject): AuditModelFacts {
  const { kind, family, widths } = model.fingerprint;
  return {
    repo: model.repo,
    status: kind === 'adapter' ? 'adapter' : 'fingerprinted',
    kind,
    shape: { family, widths },
    createdAt: model.createdAt,
  };
}

/** The family of its parent as the index has it; inference on a part of it may have named another root. */
function toMember({ subject, edges, root }: Place, families: readonly FamilyMember[]): FamilyMember {
  const parent = edges.find((edge) => edge.rank === 1)?.parent;
  const known = families.find((member) => member.repo === parent);
  return { repo: subject.model.repo, root: known?.root ?? root, depth: (known?.depth ?? 0) + 1 };
}

function listAncestors(repo: string, edges: readonly Edge[]): string[] {
  const parents = Map.groupBy(
    edges.filter((edge) => edge.rank === 1),
    (edge) => edge.child,
  );
  const seen = new Set<string>();
  const queue = [repo];
  for (let next = queue.pop(); next !== undefined; next = queue.pop())
    for (const { parent } of parents.get(next) ?? [])
      if (!seen.has(parent)) {
        seen.add(parent);
        queue.push(parent);
      }
  return [...seen];
}
