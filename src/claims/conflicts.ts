import type { Claim, ClaimSource } from '../types/claims.ts';
import type { HubRepo } from '../types/hub.ts';
import { relationFromFiles } from './relation-from-files.ts';

const LABELS: Record<ClaimSource, string> = {
  card: 'the card',
  tags: 'the tags',
  hub: "the Hub's base model list",
  adapter_config: 'adapter_config.json',
  config: 'config.json',
  gguf: 'the GGUF metadata',
  kohya: 'the training metadata',
  mergekit: 'the merge configuration',
  prose: 'the text',
};

/** Sentences about sources that name different parents or relations. Hints are left out: they differ all the time and mean little. */
export function describeConflicts(repo: HubRepo, claims: readonly Claim[]): string[] {
  const firm = claims.filter((claim) => !claim.hint && claim.normalized !== null);
  const bySource = Map.groupBy(firm, (claim) => claim.source);
  const [first, ...others] = [...bySource.entries()];
  if (!first) return [];
  const named = (list: readonly Claim[]) => new Set(list.map((claim) => claim.normalized?.toLowerCase()));
  const notes: string[] = [];
  for (const [source, list] of others) {
    const [ours, theirs] = [named(first[1]), named(list)];
    // the Hub drops what it cannot resolve, so fewer names there are no disagreement
    const extra = [...theirs].filter((name) => !ours.has(name));
    const missing = [...ours].filter((name) => !theirs.has(name));
    if (
      extra.length > 0 ||
      (missing.length > 0 && source !== 'hub' && source !== 'tags' && theirs.size >= ours.size)
    ) {
      notes.push(
        `Sources differ: ${LABELS[first[0]]} names ${list_(first[1])}, ${LABELS[source]} names ${list_(list)}.`,
      );
    }
  }
  const typed = firm.find((claim) => claim.source === 'card')?.relation;
  const seen = relationFromFiles(repo, bySource.get('card')?.length ?? 0);
  if (typed && seen !== 'finetune' && typed !== seen) {
    notes.push(`The card says ${typed}; the files look like ${seen}.`);
  }
  return notes;
}

function list_(claims: readonly Claim[]): string {
  const shown = claims.slice(0, 5).map((claim) => claim.normalized);
  return shown.join(', ') + (claims.length > 5 ? ` and ${claims.length - 5} more` : '');
}
