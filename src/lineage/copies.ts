import type { LineageModel, Relation } from '../types/lineage.ts';
import { hashBits } from './content-key.ts';
import type { ModelSamples, SampleCache } from './model-samples.ts';
import { type Grid, readGrid } from './number-grid.ts';
import { oldestFirst } from './oldest-first.ts';
import { areComparable } from './pair-statistics.ts';

/** A model whose values are another's: found by file hashes, by values, or by values after rounding. */
export interface CopyFinding {
  child: string;
  parent: string;
  relation: Extract<Relation, 'duplicate' | 'cast'>;
  method: 'hash' | 'values' | 'rounding';
  /** share of compared values that agree (after rounding for casts) */
  agreement: number;
  compared: number;
  detail: string;
}

export interface CopyClass {
  /** the model the others were copied from, as far as formats and time tell */
  source: LineageModel;
  members: LineageModel[];
  /** the weights existed by then: the earliest creation time in the class */
  existedBy: number;
}

export function gridDtype(dtype: string): Grid | null {
  return dtype === 'BF16' || dtype === 'F16' || dtype === 'F32' ? dtype : null;
}

/** Equal hashes of all weight files, whatever their names. Null when some hash is unknown. */
export function filesKey(model: LineageModel): string | null {
  const hashes = model.fingerprint.files.map((f) => f.sha256);
  if (hashes.length === 0 || hashes.some((h) => h === null)) return null;
  return [...new Set(hashes as string[])].sort().join(',');
}

/** Containers that differ only in how the same tensors are split over files. */
function containerOf(format: string): string {
  return format.replace(/-(sharded|split)$/, '');
}

/** Same values at every common position, and nothing of note that only one of the two has. */
export function haveEqualValues(a: ModelSamples, b: ModelSamples): boolean {
  let common = 0;
  for (const tensor of a.tensors) {
    const other = b.byName.get(tensor.name);
    if (!other) {
      // tied embeddings may or may not be stored as lm_head
      if (/lm_head/.test(tensor.name)) continue;
      return false;
    }
    if (!areComparable(tensor, other) || tensor.hash !== other.hash) return false;
    if (tensor.shape[0] !== other.shape[0]) return false;
    common++;
  }
  return common > 0 && a.tensors.length - b.tensors.length < 2 && b.tensors.length - a.tensors.length < 2;
}

/**
 * Which of several models with equal values the others were made from: not a GGUF, which is written by converting something else, whatever
 * the dates say (a repo made again is younger than its conversions); then native format, then the earliest.
 */
function chooseSource(members: readonly LineageModel[], grid: Grid): LineageModel {
  return members.reduce((best, next) => (rankAsSource(next, grid, best) < 0 ? next : best));
}

function rankAsSource(a: LineageModel, grid: Grid, b: LineageModel): number {
  const native = (m: LineageModel) => (gridDtype(m.fingerprint.dtype) === grid ? 0 : 1);
  return Number(isConversion(a)) - Number(isConversion(b)) || native(a) - native(b) || oldestFirst(a, b);
}

export function isConversion({ fingerprint }: LineageModel): boolean {
  return containerOf(fingerprint.format) === 'gguf';
}

function copyRelation(child: LineageModel, parent: LineageModel): 'duplicate' | 'cast' {
  const sameDtype = child.fingerprint.dtype === parent.fingerprint.dtype;
  const sameContainer = containerOf(child.fingerprint.format) === containerOf(parent.fingerprint.format);
  return sameDtype && sameContainer ? 'duplicate' : 'cast';
}

/**
 * Classes of models with equal values. Buckets by file hashes and by the bits of the core, then tensor hashes decide.
 * Quantised models join a class by file hash only: equal quantised values may as well have been quantised twice.
 */
export async function findEqualModels(
  models: readonly LineageModel[],
  cache: SampleCache,
): Promise<{ classes: CopyClass[]; findings: CopyFinding[] }> {
  const byFiles = groupBy(models, (m) => filesKey(m) ?? `repo:${m.repo}`);
  const representatives = [...byFiles.values()].map((group) => earliest(group));
  const filesGroup = new Map(
    representatives.map((r) => [r.repo, byFiles.get(filesKey(r) ?? `repo:${r.repo}`)!]),
  );
  const byCore = groupBy(representatives, (m) =>
    m.fingerprint.quantized ? `repo:${m.repo}` : `${m.fingerprint.coreKey}|${hashBits(m.fingerprint.core)}`,
  );
  const classes: CopyClass[] = [];
  const findings: CopyFinding[] = [];
  for (const bucket of byCore.values()) {
    const clusters: LineageModel[][] = [];
    if (bucket.length === 1) clusters.push(bucket);
    else {
      const samples = await cache.get(bucket.map((m) => m.repo));
      for (const model of bucket) {
        const mine = samples.get(model.repo);
        const home = clusters.find((cluster) => {
          const first = samples.get(cluster[0]!.repo);
          return mine !== undefined && first !== undefined && haveEqualValues(mine, first);
        });
        if (home) home.push(model);
        else clusters.push([model]);
      }
    }
    for (const cluster of clusters) {
      const members = cluster.flatMap((m) => filesGroup.get(m.repo) ?? [m]);
      let source = members[0]!;
      if (members.length > 1) {
        const samples = await cache.get(members.map((m) => m.repo));
        const any = [...samples.values()][0];
        source = chooseSource(members, any ? readGrid(any.tensors) : 'F32');
        for (const member of members) {
          if (member === source) continue;
          const sameFiles = filesKey(member) !== null && filesKey(member) === filesKey(source);
          const relation = copyRelation(member, source);
          findings.push({
            child: member.repo,
            parent: source.repo,
            relation: sameFiles ? 'duplicate' : relation,
            method: sameFiles ? 'hash' : 'values',
            agreement: 1,
            compared: any ? any.tensors.reduce((sum, t) => sum + t.values.length, 0) : 0,
            detail: sameFiles
              ? `Both repos hold the same weight files (equal SHA-256).`
              : `All sampled values are equal${relation === 'cast' ? `; stored as ${member.fingerprint.dtype} in ${member.fingerprint.format} against ${source.fingerprint.dtype} in ${source.fingerprint.format}` : ''}.`,
          });
        }
      }
      classes.push({ source, members, existedBy: Math.min(...members.map((m) => m.createdAt)) });
    }
  }
  return { classes, findings };
}

export function earliest(models: readonly LineageModel[]): LineageModel {
  return models.reduce((a, b) =>
    b.createdAt < a.createdAt || (b.createdAt === a.createdAt && b.repo < a.repo) ? b : a,
  );
}

export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const k = key(item);
    const group = groups.get(k);
    if (group) group.push(item);
    else groups.set(k, [item]);
  }
  return groups;
}
