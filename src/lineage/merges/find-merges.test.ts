import { describe, expect, it } from 'vitest';
import { type FamiliesOptions, generateFamilies, ONLY_FINETUNES } from '../../../bench/lib/families.ts';
import { loaderOf } from '../../../bench/lib/loader-of.ts';
import { inferLineage } from '../infer-lineage.ts';

async function grow(options: Partial<FamiliesOptions>) {
  const hub = generateFamilies({ seed: 5, families: 2, size: 24, valuesPerTensor: 128, ...options });
  const { edges } = await inferLineage(hub.models, loaderOf(hub.samples), {
    method: 'hublineage',
    seed: 1,
    minProbability: 0.5,
  });
  const merges = new Map<string, Set<string>>();
  for (const e of edges)
    if (e.relation === 'merge' && e.rank === 1)
      merges.set(e.child, (merges.get(e.child) ?? new Set()).add(e.parent));
  return { truth: hub.truth, merges, edges };
}

describe('merges', () => {
  it('are found by recipe: weighted means, slerp, task arithmetic, and value by value DARE and TIES', async () => {
    const { truth, merges, edges } = await grow({ shares: { ...ONLY_FINETUNES, merge: 0.35 }, step: 0.02 });
    const byStyle = new Map<string, { total: number; found: number }>();
    for (const [child, known] of truth) {
      if (known.relation !== 'merge') continue;
      const style = byStyle.get(known.detail) ?? { total: 0, found: 0 };
      byStyle.set(known.detail, style);
      style.total++;
      const found = merges.get(child);
      if (found && known.parents.every((p) => found.has(p)) && found.size === known.parents.length)
        style.found++;
    }
    for (const style of ['linear', 'slerp', 'task', 'dare', 'ties'])
      expect(byStyle.get(style)?.found ?? 0, style).toBeGreaterThan(0);
    const sum = [...byStyle.values()].reduce((a, b) => ({
      total: a.total + b.total,
      found: a.found + b.found,
    }));
    // of twelve, nine: the others' parents moved by less than rounding shows, or only one of the two is visible at all
    expect(sum.found / sum.total).toBeGreaterThan(0.7);
    // support comes before weights: what was dropped or trimmed is said to be approximate
    expect(edges.some((e) => e.method === 'elements' && e.weight !== null)).toBe(true);
    for (const child of merges.keys()) expect(truth.get(child)!.relation).toBe('merge');
  });

  it.each([0.05, 0.3, 0.6])(
    'are not seen in siblings tuned alike (squared cosine %s)',
    async (siblingCosine) => {
      const { merges } = await grow({ shares: ONLY_FINETUNES, siblingCosine, seed: 6 });
      expect([...merges.keys()]).toEqual([]);
    },
  );
});
