import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FingerprintSummary, TensorSample } from '../../../types/fingerprint.ts';
import type { LineageModel } from '../../../types/lineage.ts';
import { createNormal, createRandom } from '../../numeric/random.ts';
import { toLineageMethod } from '../to-lineage-method.ts';
import { dbscan } from './dbscan.ts';
import { kMeans } from './kmeans.ts';
import { createRadiusSearch } from './neighbours.ts';
import { countComponents, nullRadius } from './null-radius.ts';
import { PHYLOGENY_SCORERS } from './phylogeny-scorers.ts';
import { squaredDistanceAt, toPoints } from './points.ts';

const CORE = 500;
const none = async () => new Map<string, TensorSample[]>();

function toModel(repo: string, core: Float32Array): LineageModel {
  const fingerprint = { kind: 'full', core, coreKey: 'k', quantized: false } as unknown as FingerprintSummary;
  return { repo, owner: repo.split('/')[0]!, createdAt: 0, fingerprint };
}

/** Stars of five: a base and four children that add noise of a tenth, so that the base has the smallest norm. */
function growStars(seed: number, stars: number): LineageModel[] {
  const normal = createNormal(createRandom(seed));
  return Array.from({ length: stars }, (_, s) => {
    const base = Float32Array.from({ length: CORE }, () => 0.02 * normal());
    const children = Array.from({ length: 4 }, (_, c) =>
      toModel(
        `s${s}/child-${c}`,
        base.map((x) => x + 0.008 * normal()),
      ),
    );
    return [toModel(`s${s}/base`, base), ...children];
  }).flat();
}

const points = fc
  .record({ seed: fc.nat(), count: fc.integer({ min: 1, max: 60 }), dim: fc.integer({ min: 1, max: 40 }) })
  .map(({ seed, count, dim }) => {
    const normal = createNormal(createRandom(seed));
    return toPoints(
      Array.from({ length: count }, (_, i) =>
        Float32Array.from({ length: dim }, () => (i % 3) * 2 + normal()),
      ),
    );
  });

describe('radius search', () => {
  it('finds what looking at every pair finds', () => {
    fc.assert(
      fc.property(points, fc.double({ min: 0.1, max: 12, noNaN: true }), (some, radius) => {
        const search = createRadiusSearch(some, radius);
        for (let i = 0; i < some.count; i++) {
          const all = Array.from({ length: some.count }, (_, j) => j).filter(
            (j) =>
              squaredDistanceAt(some.values, i * some.dim, some.values, j * some.dim, some.dim) <=
              radius * radius,
          );
          expect(search.ofPoint(i)).toEqual(all);
          expect(search.around(some.values.slice(i * some.dim, (i + 1) * some.dim))).toEqual(all);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('KMeans', () => {
  it('ends where every point belongs to its nearest centre and every centre is the mean of its points', () => {
    fc.assert(
      fc.property(points, fc.integer({ min: 1, max: 8 }), fc.nat(), (some, clusters, seed) => {
        const { labels, centres } = kMeans(some, { clusters, random: createRandom(seed) });
        const { dim, values, count } = some;
        for (let i = 0; i < count; i++) {
          const distances = centres.map((centre) => squaredDistanceAt(values, i * dim, centre, 0, dim));
          expect(distances[labels[i]!]).toBeLessThanOrEqual(Math.min(...distances) * (1 + 1e-5) + 1e-5);
        }
        for (const [c, centre] of centres.entries()) {
          const own = [...labels].flatMap((label, i) => (label === c ? [i] : []));
          if (own.length === 0) continue;
          for (let d = 0; d < dim; d++) {
            const mean = own.reduce((sum, i) => sum + values[i * dim + d]!, 0) / own.length;
            expect(centre[d]).toBeCloseTo(mean, 3);
          }
        }
      }),
    );
  });

  it('takes equal points and more clusters than points', () => {
    const same = toPoints(Array.from({ length: 4 }, () => Float32Array.of(1, 2)));
    expect(kMeans(same, { clusters: 9, random: createRandom(1) }).inertia).toBe(0);
  });
});

it('DBSCAN leaves lonely points out', () => {
  const rows = [0, 0.1, 0.2, 5, 9, 9.1].map((x) => Float32Array.of(x));
  expect([...dbscan(toPoints(rows), { radius: 0.5, minPoints: 2 }).labels]).toEqual([0, 0, 0, -1, 1, 1]);
});

it("the null's radius joins families and no strangers", () => {
  const normal = createNormal(createRandom(2));
  const unit = (row: Float32Array) => {
    const length = Math.hypot(...row);
    return row.map((x) => x / length);
  };
  const strangers = toPoints(
    Array.from({ length: 60 }, () => unit(Float32Array.from({ length: CORE }, normal))),
  );
  expect(countComponents(strangers, nullRadius(strangers, 1))).toBe(60);
  const family = toPoints(growStars(3, 4).map(({ fingerprint }) => unit(fingerprint.core)));
  expect(countComponents(family, nullRadius(family, 1))).toBe(4);
});

describe.each(PHYLOGENY_SCORERS)('$name', (scorer) => {
  const models = growStars(1, 3);

  it('finds stars whose base has the smallest norm', async () => {
    const pairs = await scorer.score(models, none, { seed: 4, repeats: 3 });
    const right = pairs.filter(({ parent, child }) => parent === child.replace(/child-\d/, 'base'));
    // DBSCAN along asks each neighbourhood; here every neighbourhood is a whole star
    expect(right.length).toBe(12);
    expect(pairs.filter(({ score }) => score > 0.5)).toEqual(right);
  });

  it('says the same whatever the order of the models, and the same again', async () => {
    const sort = (pairs: object[]) => pairs.map((pair) => JSON.stringify(pair)).sort();
    const one = await scorer.score(models, none, { seed: 9, repeats: 2 });
    const other = await scorer.score([...models].reverse(), none, { seed: 9, repeats: 2 });
    expect(sort(other)).toEqual(sort(one));
  });

  it('makes a valid result of what it finds, of nothing as well', async () => {
    const method = toLineageMethod(scorer);
    const options = { method: scorer.name, seed: 1, minProbability: 0.5 };
    expect((await method.infer([], none, options)).edges).toEqual([]);
    expect((await method.infer(models.slice(0, 1), none, options)).edges).toEqual([]);
    const { edges, families } = await method.infer(models, none, options);
    expect(edges.every(({ probability }) => probability > 0 && probability <= 1)).toBe(true);
    expect(families.find(({ repo }) => repo === 's1/child-2')).toEqual({
      repo: 's1/child-2',
      root: 's1/base',
      depth: 1,
    });
  });
});

describe('a scorer as a method', () => {
  it('breaks circles at their weakest edge', async () => {
    const models = ['a', 'b', 'c'].map((repo) => toModel(repo, new Float32Array(1)));
    const scorer = {
      name: 'round',
      score: async () => [
        { parent: 'a', child: 'b', score: 0.9 },
        { parent: 'b', child: 'c', score: 0.8 },
        { parent: 'c', child: 'a', score: 0.6 },
        { parent: 'b', child: 'a', score: 0.1 },
      ],
    };
    const { edges, families } = await toLineageMethod(scorer).infer(models, none, {
      method: 'round',
      seed: 1,
      minProbability: 0.5,
    });
    expect(edges.map(({ parent, child }) => parent + child)).toEqual(['ab', 'bc']);
    expect(families.map(({ depth }) => depth)).toEqual([0, 1, 2]);
  });

  it('names nobody below the threshold, nor models that are not there', async () => {
    const models = ['a', 'b'].map((repo) => toModel(repo, new Float32Array(1)));
    const scorer = {
      name: 'shy',
      score: async () => [
        { parent: 'a', child: 'b', score: 0.4 },
        { parent: 'ghost', child: 'a', score: 1 },
        { parent: 'a', child: 'a', score: 1 },
      ],
    };
    const { edges } = await toLineageMethod(scorer).infer(models, none, {
      method: 'shy',
      seed: 1,
      minProbability: 0.5,
    });
    expect(edges).toEqual([]);
  });
});
