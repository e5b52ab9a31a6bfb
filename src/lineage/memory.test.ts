import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateFamilies } from '../../bench/lib/families.ts';
import type { LineageModel } from '../types/lineage.ts';
import { inferLineage } from './infer-lineage.ts';
import type { InferenceMemory } from './memory.ts';

const VALUES = 64;

function createMemory(): InferenceMemory & { recalled: number; asked: number } {
  const kept = new Map<string, unknown>();
  return {
    recalled: 0,
    asked: 0,
    async recall(key) {
      this.asked++;
      if (kept.has(key)) this.recalled++;
      return structuredClone(kept.get(key));
    },
    async keep(key, value) {
      kept.set(key, structuredClone(value));
    },
  };
}

function infer(hub: ReturnType<typeof generateFamilies>, models: LineageModel[], memory?: InferenceMemory) {
  return inferLineage(
    models,
    async (repos) => new Map(repos.flatMap((r) => (hub.samples.has(r) ? [[r, hub.samples.get(r)!]] : []))),
    { method: 'hublineage', seed: 1, minProbability: 0.5, ...(memory ? { memory } : {}) },
  );
}

describe('inference that remembers', () => {
  it('concludes what a full rebuild concludes, whatever is new, changed or gone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('new', 'moved in time', 'renamed'),
        async (seed, picks, change) => {
          const hub = generateFamilies({
            seed,
            families: 3,
            size: 8,
            valuesPerTensor: VALUES,
            missingRoots: 0.3,
          });
          const touched = new Set(picks.map((p) => hub.models[p % hub.models.length]!.repo));
          const before = hub.models.flatMap((m) => {
            if (!touched.has(m.repo)) return [m];
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
          const memory = createMemory();
          await infer(hub, before, memory);
          const again = await infer(hub, hub.models, memory);
          expect(again).toEqual(await infer(hub, hub.models));
        },
      ),
      { numRuns: 12, seed: 1 },
    );
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
  });
});
