import { describe, expect, it } from 'vitest';
import { type GeneratedHub, generateFamilies, ONLY_FINETUNES } from '../../bench/lib/families.ts';
import { roundTripBlocks } from '../../bench/lib/ggml-round-trip.ts';
import { loaderOf } from '../../bench/lib/loader-of.ts';
import { distanceFromEstimate } from './estimate-missing-core.ts';
import { inferLineage } from './index.ts';

/** A root with its children: attachment this strong leaves no grandchildren. */
const star = (more: Partial<Parameters<typeof generateFamilies>[0]> = {}): GeneratedHub =>
  generateFamilies({
    seed: 9,
    families: 1,
    size: 9,
    valuesPerTensor: 512,
    attachment: 20,
    stepSpread: 0.3,
    shares: ONLY_FINETUNES,
    ...more,
  });

const infer = (hub: GeneratedHub, minProbability = 0.5) =>
  inferLineage(hub.models, loaderOf(hub.samples), {
    method: 'hublineage',
    seed: 1,
    minProbability,
    roundTrip: roundTripBlocks,
  });

const without = (hub: GeneratedHub, gone: (repo: string) => boolean): GeneratedHub => ({
  ...hub,
  models: hub.models.filter((m) => !gone(m.repo)),
});

describe('relatives that are not in the index', () => {
  it('leave a virtual parent where all their children are there', async () => {
    const { edges, virtualParents } = await infer(star({ missingRoots: 1 }));
    expect(virtualParents).toHaveLength(1);
    expect(virtualParents[0]!.children).toHaveLength(8);
    // what is put in its place has its weights, within what it says of itself
    const lost = star().models.find((m) => m.repo === 'lab-0/base-0')!.fingerprint;
    const core = virtualParents[0]!.core!;
    expect(core.relativeError).toBeLessThan(0.01);
    expect(distanceFromEstimate(core, lost)).toBeLessThan(3);
    expect(edges.filter((e) => e.rank === 1).every((e) => e.parentKind === 'virtual')).toBe(true);
  });

  it('make no virtual parent of a hub that is there, nor of a direction that siblings share', async () => {
    const plain = await infer(star({ stepSpread: 1 }));
    expect(plain.virtualParents).toEqual([]);
    expect(plain.edges.filter((e) => e.rank === 1 && e.parent === 'lab-0/base-0').length).toBeGreaterThan(6);
    expect((await infer(star({ siblingCosine: 0.3, stepSpread: 1 }))).virtualParents).toEqual([]);
  });

  it('are possible behind a lone pair, whose probability is modest whatever the dates', async () => {
    const hub = star();
    const child = hub.models.find((m) => m.repo !== 'lab-0/base-0')!.repo;
    const pair = without(hub, (repo) => repo !== child && repo !== 'lab-0/base-0');
    const [edge] = (await infer(pair, 0)).edges;
    expect(edge!.parent).toBe('lab-0/base-0');
    expect(edge!.probability).toBeGreaterThan(0.4);
    expect(edge!.probability).toBeLessThan(0.75);
  });

  it('do not unseat a parent that was uploaded again after its children', async () => {
    const hub = star();
    const late = {
      ...hub,
      models: hub.models.map((m) =>
        m.repo === 'lab-0/base-0' ? { ...m, createdAt: m.createdAt + 900 * 86_400_000 } : m,
      ),
    };
    const chosen = (await infer(late)).edges.filter((e) => e.rank === 1);
    expect(chosen.filter((e) => e.parent === 'lab-0/base-0').length).toBeGreaterThan(6);
  });

  it('are what a quantised model comes from when no candidate reproduces it', async () => {
    const hub = star({ size: 16, shares: { ...ONLY_FINETUNES, quantized: 0.4 }, seed: 12 });
    const quantised = hub.models.filter((m) => m.fingerprint.quantized);
    expect(quantised.length).toBeGreaterThan(2);
    const here = await infer(hub);
    for (const { repo } of quantised)
      expect(here.edges.find((e) => e.child === repo && e.rank === 1)?.parent).toBe(
        hub.truth.get(repo)!.parents[0],
      );
    const sources = new Set(quantised.map((m) => hub.truth.get(m.repo)!.parents[0]!));
    const gone = await infer(without(hub, (repo) => sources.has(repo)));
    for (const { repo } of quantised)
      for (const edge of gone.edges.filter((e) => e.child === repo && e.rank === 1))
        expect(edge.probability).toBeLessThan(0.9);
  });

  it('are told from a light fine-tune of theirs by the scales of the blocks', async () => {
    // steps of a fifth of a per cent: hardly a code of four bits changes
    const hub = star({ step: 0.002, stepSpread: 0.1, valuesPerTensor: 1024 });
    const source = hub.models.find((m) => m.repo === 'lab-0/base-0')!;
    const quantised: typeof source = {
      ...source,
      repo: 'somebody/base-0-GGUF',
      owner: 'somebody',
      createdAt: source.createdAt + 900 * 86_400_000,
      fingerprint: {
        ...source.fingerprint,
        quantized: true,
        dtype: 'Q4_0',
        files: [{ path: 'base.gguf', size: 1, sha256: null }],
      },
    };
    const samples = new Map(hub.samples).set(
      quantised.repo,
      hub.samples
        .get(source.repo)!
        .map((t) =>
          t.shape.length < 2
            ? t
            : { ...t, values: roundTripBlocks.Q4_0(t.values.slice()), encoding: 'Q4_0', hash: '' },
        ),
    );
    const here = { ...hub, models: [...hub.models, quantised], samples };
    const edgesOf = async (index: GeneratedHub) =>
      (await infer(index, 0)).edges.filter((e) => e.child === quantised.repo && e.rank === 1);
    const [edge] = await edgesOf(here);
    expect(edge).toMatchObject({ parent: source.repo, relation: 'quantized' });
    expect(edge!.probability).toBeGreaterThan(0.95);
    for (const relative of await edgesOf(without(here, (repo) => repo === source.repo)))
      expect(relative.probability).toBeLessThan(0.3);
  });
});
