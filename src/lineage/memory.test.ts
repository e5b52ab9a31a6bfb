import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateFamilies } from '../../bench/lib/families.ts';
import { loaderOf } from '../../bench/lib/loader-of.ts';
import type { LineageModel } from '../types/lineage.ts';
import { DEFAULT_CALIBRATION } from './calibration.ts';
import { concludeBlock } from './conclude-block.ts';
import { inferLineage } from './infer-lineage.ts';
import type { InferenceMemory } from './memory.ts';
import { createSampleCache } from './model-samples.ts';
import { createRandom } from './numeric/random.ts';
import type { BlockRunner } from './options.ts';

const VALUES = 64;

/** Another model's weights under files of their own. */
function withOtherFiles({ fingerprint }: LineageModel): LineageModel['fingerprint'] {
  return { ...fingerprint, files: fingerprint.files.map((f) => ({ ...f, sha256: `other ${f.sha256}` })) };
}

/** `forgets`: whether a row that was kept is gone when it is asked for. */
function createMemory(forgets: () => boolean = () => false) {
  const kept = new Map<string, unknown>();
  const memory = {
    recalled: 0,
    asked: 0,
    notes: 0,
    retained: [] as string[],
    async recall(key: string): Promise<unknown> {
      memory.asked++;
      if (!kept.has(key) || forgets()) return undefined;
      memory.recalled++;
      if (key.startsWith('notes')) memory.notes++;
      return structuredClone(kept.get(key));
    },
    async keep(key: string, value: unknown) {
      kept.set(key, structuredClone(value));
    },
    retain(key: string) {
      memory.retained.push(key);
    },
    has: (key: string) => kept.has(key),
  };
  return memory satisfies InferenceMemory;
}

function infer(hub: ReturnType<typeof generateFamilies>, models: LineageModel[], memory?: InferenceMemory) {
  return inferLineage(models, loaderOf(hub.samples), {
    method: 'hublineage',
    seed: 1,
    minProbability: 0.5,
    ...(memory ? { memory } : {}),
  });
}

describe('inference that remembers', () => {
  it('concludes what a full rebuild concludes, whatever is new, changed or gone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('new', 'gone', 'moved in time', 'renamed', 'retrained'),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        async (seed, picks, change, forgotten) => {
          const hub = generateFamilies({
            seed,
            families: 3,
            size: 8,
            valuesPerTensor: VALUES,
            missingRoots: 0.3,
          });
          const touched = new Set(picks.map((p) => hub.models[p % hub.models.length]!.repo));
          const random = createRandom(seed);
          const other = hub.models.find((m) => !touched.has(m.repo))!;
          const before = hub.models.flatMap((m) => {
            if (!touched.has(m.repo) || change === 'gone') return [m];
            // the same repo with another's weights, as if it was that one that was pushed first
            if (change === 'retrained') return [{ ...m, fingerprint: withOtherFiles(other) }];
            return change === 'new'
              ? []
              : [
                  {
                    ...m,
                    ...(change === 'renamed' ? { repo: `${m.repo}-old` } : { createdAt: m.createdAt - 4e9 }),
                  },
                ];
          });
          for (const m of before)
            if (m.repo.endsWith('-old')) {
              const samples = hub.samples.get(m.repo.slice(0, -4));
              if (samples) hub.samples.set(m.repo, samples);
            }
          const after = change === 'gone' ? hub.models.filter((m) => !touched.has(m.repo)) : hub.models;
          const memory = createMemory(() => random() < forgotten);
          const samples = new Map(hub.samples);
          if (change === 'retrained')
            for (const repo of touched) hub.samples.set(repo, hub.samples.get(other.repo)!);
          await infer(hub, before, memory);
          for (const [repo, mine] of samples) hub.samples.set(repo, mine);
          expect(await infer(hub, after, memory)).toEqual(await infer(hub, after));
          // and back again: what was noted on the way is of no harm
          expect(await infer(hub, after.slice(1), memory)).toEqual(await infer(hub, after.slice(1)));
        },
      ),
      { numRuns: 25, seed: 1 },
    );
  }, 60_000);

  it('concludes night after night what one rebuild concludes, in families too large for all pairs of samples too', async () => {
    const hub = generateFamilies({ seed: 9, families: 1, size: 230, valuesPerTensor: 16, layers: 1 });
    const memory = createMemory();
    for (const night of [0.9, 0.95, 1]) {
      const models = hub.models.slice(0, Math.floor(night * hub.models.length));
      expect(await infer(hub, models, memory)).toEqual(await infer(hub, models));
    }
    expect(memory.notes).toBeGreaterThanOrEqual(2);
  }, 60_000);

  it('does not infer anew what nothing touched', async () => {
    const hub = generateFamilies({ seed: 4, families: 4, size: 8, valuesPerTensor: VALUES });
    const memory = createMemory();
    const first = await infer(hub, hub.models, memory);
    expect(memory.recalled).toBe(0);
    memory.asked = 0;
    const second = await infer(hub, hub.models, memory);
    expect(memory.recalled).toBe(memory.asked);
    expect(memory.asked).toBeGreaterThanOrEqual(4);
    expect(second).toEqual(first);
    // what was noted is not read, and not dropped either
    expect(memory.notes).toBe(0);
    expect(memory.retained.length).toBeGreaterThanOrEqual(4);
    for (const key of memory.retained) expect(memory.has(key)).toBe(true);
  }, 60_000);
});

describe('blocks concluded elsewhere', () => {
  it('are plain data both ways, and conclude what is concluded here', async () => {
    const hub = generateFamilies({
      seed: 7,
      families: 4,
      size: 10,
      valuesPerTensor: VALUES,
      missingRoots: 0.3,
    });
    const load = loaderOf(hub.samples);
    const options = { method: 'hublineage', seed: 1, minProbability: 0.5 };
    let concluded = 0;
    const runner: BlockRunner = {
      atOnce: 3,
      async run(task) {
        concluded++;
        const world = { cache: createSampleCache(load, 100), options, calibration: DEFAULT_CALIBRATION };
        return structuredClone(await concludeBlock(structuredClone(task), world));
      },
    };
    const there = await inferLineage(hub.models, load, { ...options, runner });
    expect(concluded).toBeGreaterThanOrEqual(4);
    expect(there).toEqual(await inferLineage(hub.models, load, options));
  }, 60_000);
});
