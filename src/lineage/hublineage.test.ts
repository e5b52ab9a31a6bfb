import { describe, expect, it } from 'vitest';
import { generateFamilies, ONLY_FINETUNES, positionsOfGenerated } from '../../bench/lib/families.ts';
import { roundTripBlocks } from '../../bench/lib/ggml-round-trip.ts';
import { loaderOf } from '../../bench/lib/loader-of.ts';
import { scoreLineage } from '../../bench/lib/score.ts';
import type { LineageResult } from '../types/lineage.ts';
import { explainPair, inferLineage, LINEAGE_METHODS, placeModel, relatedness } from './index.ts';
import type { LineageOptions } from './options.ts';
import { logit } from './probability.ts';

const VALUES = 512;
const options: LineageOptions = {
  method: 'hublineage',
  seed: 1,
  minProbability: 0.5,
  roundTrip: roundTripBlocks,
  positions: positionsOfGenerated(VALUES),
};

const hub = generateFamilies({ seed: 5, families: 2, size: 30, valuesPerTensor: VALUES });
const infer = (given = hub, more: Partial<LineageOptions> = {}): Promise<LineageResult> =>
  inferLineage(given.models, loaderOf(given.samples), { ...options, ...more });

const result = await infer();

describe('inferLineage on generated families', () => {
  it('finds most parents and keeps nearly all true ones in sight', async () => {
    const score = scoreLineage(hub.truth, result);
    expect(score.all.right / score.all.total).toBeGreaterThan(0.85);
    expect(score.all.inTieSet / score.all.total).toBeGreaterThan(0.9);
    expect(score.familiesRight).toBeGreaterThan(0.85);
  });

  it('calls a cast in a repo that also holds quantised files a quantised model', async () => {
    const cast = result.edges.find((e) => e.relation === 'cast')!;
    const models = hub.models.map((m) =>
      m.repo === cast.child ? { ...m, fingerprint: { ...m.fingerprint, quantizedBeside: true } } : m,
    );
    const { edges } = await infer({ ...hub, models });
    expect(edges.find((e) => e.child === cast.child)).toEqual({ ...cast, relation: 'quantized' });
  });

  it('takes no GGUF for the source of models that hold the same values, older though it may be', async () => {
    const { parent } = result.edges.find((e) => e.relation === 'duplicate')!;
    const models = hub.models.map((m) =>
      m.repo === parent ? { ...m, createdAt: 1, fingerprint: { ...m.fingerprint, format: 'gguf' } } : m,
    );
    const { edges } = await infer({ ...hub, models });
    const copies = edges.filter((e) => e.rank === 1 && ['duplicate', 'cast'].includes(e.relation));
    expect(copies.filter((e) => e.parent === parent)).toEqual([]);
    expect(copies.filter((e) => e.child === parent)).toHaveLength(1);
  });

  it('beats guessing by time alone', async () => {
    const ours = scoreLineage(hub.truth, result);
    const theirs = scoreLineage(hub.truth, await infer(hub, { method: 'nearest-earlier' }));
    expect(ours.all.right).toBeGreaterThan(theirs.all.right);
  });

  it('gives evidence that adds up to the probability of every edge', async () => {
    const { edges, evidence } = result;
    for (const edge of edges) {
      const sum = evidence
        .filter((e) => e.child === edge.child && e.parent === edge.parent)
        .reduce((total, e) => total + e.logOdds, 0);
      expect(sum).toBeCloseTo(logit(edge.probability), 5);
    }
  });

  it('does not depend on the order of the models', async () => {
    const reversed = { ...hub, models: [...hub.models].reverse() };
    const key = (r: LineageResult) =>
      r.edges.map((e) => `${e.child} ${e.parent} ${e.rank} ${e.relation}`).sort();
    expect(key(await infer(reversed))).toEqual(key(result));
  });

  it('never makes a model its own ancestor', async () => {
    const { edges } = result;
    const parents = new Map<string, string[]>();
    for (const e of edges.filter((e) => e.rank === 1))
      parents.set(e.child, [...(parents.get(e.child) ?? []), e.parent]);
    const climbs = (repo: string, path: string[]): void => {
      expect(path).not.toContain(repo);
      for (const p of parents.get(repo) ?? []) climbs(p, [...path, repo]);
    };
    for (const repo of parents.keys()) climbs(repo, []);
  });

  it('does not relate families trained apart', async () => {
    const { edges } = result;
    const family = (repo: string) => /(?:base-|m)(\d+)/.exec(repo.split('/')[1]!)![1];
    for (const e of edges.filter((e) => e.relation !== 'adapter'))
      expect(family(e.parent)).toBe(family(e.child));
  });

  it('places a model where a rebuild would put it', async () => {
    const full = hub.models.filter((m) => m.fingerprint.kind === 'full');
    const rebuilt = await inferLineage(full, loaderOf(hub.samples), options);
    for (const model of full.filter((_, i) => i % 19 === 4)) {
      const placed = await placeModel(
        model,
        hub.samples.get(model.repo)!,
        full,
        loaderOf(hub.samples),
        options,
      );
      const wanted = rebuilt.edges.filter((e) => e.child === model.repo && e.rank === 1).map((e) => e.parent);
      expect(placed.edges.filter((e) => e.rank === 1).map((e) => e.parent)).toEqual(wanted);
    }
  });

  it('refuses unknown methods and runs every baseline', async () => {
    expect(() => inferLineage([], loaderOf(hub.samples), { ...options, method: 'nonsense' })).toThrow(
      /nonsense/,
    );
    for (const method of ['nearest-earlier', 'model-atlas', 'mother', 'majority-hub']) {
      expect(LINEAGE_METHODS).toContain(method);
      expect((await infer(hub, { method })).edges.length).toBeGreaterThan(20);
    }
  });

  it('is quiet about an empty index and about models without samples', async () => {
    const none = await inferLineage([], async () => new Map(), options);
    expect(none.edges).toEqual([]);
    const blind = await inferLineage(hub.models, async () => new Map(), options);
    expect(blind.edges.every((e) => e.relation === 'duplicate' || e.relation === 'adapter')).toBe(true);
  });
});

describe('missing parents', () => {
  it('are put back where the children show a hub that is not there', async () => {
    const orphans = generateFamilies({
      seed: 9,
      families: 1,
      size: 9,
      valuesPerTensor: VALUES,
      missingRoots: 1,
      attachment: 20,
      stepSpread: 0.3,
      shares: ONLY_FINETUNES,
    });
    const labels = new Map(orphans.models.map((m) => [m.repo, ['gone/base']]));
    const found = await infer(orphans, { labels });
    expect(found.virtualParents).toHaveLength(1);
    expect(found.virtualParents[0]!.declaredLabel).toBe('gone/base');
    expect(found.virtualParents[0]!.children.length).toBeGreaterThan(3);
    expect(found.edges.some((e) => e.parentKind === 'virtual')).toBe(true);
  });

  it('are not invented where the hub is there', () => {
    expect(result.virtualParents).toEqual([]);
  });
});

describe('relatedness', () => {
  const side = (repo: string) => ({
    summary: hub.models.find((m) => m.repo === repo)!.fingerprint,
    tensors: hub.samples.get(repo)!,
  });

  it('tells relatives from strangers', () => {
    const child = [...hub.truth].find(
      ([r, t]) => t.relation === 'finetune' && t.parents[0] === 'lab-0/base-0' && hub.samples.has(r),
    )![0];
    expect(relatedness(side(child), side('lab-0/base-0'), { pairs: 100 }).outcome).toBe('related');
    expect(relatedness(side('lab-1/base-1'), side('lab-0/base-0'), { pairs: 100 }).outcome).toBe('unrelated');
  });

  it('never calls a permuted copy unrelated', () => {
    for (const [repo, t] of hub.truth)
      if (t.relation === 'transformed')
        expect(relatedness(side(repo), side(t.parents[0]!), { pairs: 100 }).outcome).not.toBe('unrelated');
  });

  it('is incomparable without common tensors', () => {
    const empty = { ...side('lab-0/base-0'), tensors: [] };
    expect(relatedness(empty, side('lab-1/base-1'), { pairs: 1 }).outcome).toBe('incomparable');
  });
});

describe('explainPair', () => {
  it('answers every probe for any pair', () => {
    const [a, b] = hub.models.filter((m) => m.fingerprint.kind === 'full');
    const rows = explainPair(
      { model: a!, tensors: hub.samples.get(a!.repo)! },
      { model: b!, tensors: hub.samples.get(b!.repo)! },
      { roundTrip: roundTripBlocks },
    );
    expect(new Set(rows.map((r) => r.probe)).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(12);
    for (const row of rows) expect(row.detail.length).toBeGreaterThan(5);
  });
});
