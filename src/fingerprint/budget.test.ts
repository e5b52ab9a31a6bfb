import { describe, expect, it } from 'vitest';
import { createFormulaModel, type FormulaOptions } from '../../test/lib/formula-model.ts';
import {
  LLAMA_7B,
  LLAMA_8B,
  LLAMA_70B,
  llamaTensors,
  type NamedShape,
  SD15,
  SDXL,
  unetTensors,
} from '../../test/lib/real-shapes.ts';
import { planModel } from './fingerprint-model.ts';
import { DEFAULT_SAMPLING } from './scheme.ts';

/** What headers cost: two ranges and some hundred kilobytes a shard at most. */
function planAfterHeaders(tensors: readonly NamedShape[], options: FormulaOptions) {
  const model = createFormulaModel(tensors, options);
  const shards = options.shards ?? 1;
  const header = { requests: 2 * shards, bytes: 60_000 * shards };
  const budget = {
    maxRequests: DEFAULT_SAMPLING.maxRequests - header.requests,
    maxBytes: DEFAULT_SAMPLING.maxBytes - header.bytes,
  };
  const plan = planModel(model.weights, DEFAULT_SAMPLING, budget);
  const chosen = plan.items.map(({ tensor }) => tensor);
  return {
    requests: plan.requests.length + header.requests,
    bytes: plan.bytes + header.bytes,
    share: (plan.bytes + header.bytes) / model.fileBytes,
    names: chosen.map(({ name }) => name),
    matrices: chosen.filter(({ shape }) => shape.length > 1),
  };
}

const MODELS = [
  ['7B', 'llama', llamaTensors(LLAMA_7B)],
  ['8B', 'llama', llamaTensors(LLAMA_8B)],
  ['70B', 'llama', llamaTensors(LLAMA_70B)],
  ['SD 1.5', 'stable-diffusion', unetTensors(SD15)],
  ['SDXL', 'stable-diffusion', unetTensors(SDXL)],
] as const;

describe('the budget', () => {
  it('has the right shapes to work with', () => {
    expect(MODELS.map(([, , tensors]) => tensors.length)).toEqual([291, 291, 723, 686, 1680]);
    const params = (tensors: readonly NamedShape[]) =>
      tensors.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b), 0);
    expect(MODELS.map(([, , tensors]) => params(tensors))).toEqual([
      6_738_415_616, 8_030_261_248, 68_976_648_192, 859_520_964, 2_567_463_684,
    ]);
  });

  for (const [label, family, tensors] of MODELS)
    for (const dtype of ['BF16', 'F32'] as const)
      for (const [order, shards] of [
        ['name', 1],
        ['name', 6],
        ['listed', 3],
      ] as const)
        it(`holds for ${label} in ${dtype}, ${shards} files in the order ${order}`, () => {
          const plan = planAfterHeaders(tensors, { family, dtype, order, shards });
          expect(plan.requests).toBeLessThanOrEqual(256);
          expect(plan.bytes).toBeLessThanOrEqual(4_000_000);
          expect(plan.matrices.length).toBeGreaterThan(160);
        });

  it('reads a whole 7B with every matrix and norm at less than 0.05 % of its bytes', () => {
    for (const shape of [LLAMA_7B, LLAMA_8B]) {
      const tensors = llamaTensors(shape);
      const plan = planAfterHeaders(tensors, { family: 'llama', dtype: 'BF16', shards: 3 });
      expect(plan.names).toHaveLength(tensors.length);
      expect(plan.share).toBeLessThan(0.0005);
    }
  });

  it('spreads over the depth of models it cannot read whole', () => {
    const plan = planAfterHeaders(llamaTensors(LLAMA_70B), { family: 'llama', dtype: 'BF16' });
    // a lone v_proj may come free with the norm that follows it in the file; o_proj comes with its whole layer
    const layers = plan.matrices
      .filter(({ role }) => role === 'self_attn.o_proj.weight')
      .map(({ layer }) => layer ?? -1);
    layers.sort((a, b) => a - b);
    expect(layers.length).toBeGreaterThan(28);
    const gaps = layers.map((layer, i) => layer - (layers[i - 1] ?? -1));
    // no prefix of van der Corput's sequence leaves a gap of more than twice the even one
    expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.ceil((2 * 80) / layers.length));
  });

  it('gives every block of a UNet a share', () => {
    const blockOf = (name: string) =>
      /^(?:.*\.transformer_blocks\.\d+|.*?\.(?:attentions|resnets)\.\d+)/.exec(name)?.[0];
    for (const shape of [SD15, SDXL]) {
      const tensors = unetTensors(shape);
      const plan = planAfterHeaders(tensors, { family: 'stable-diffusion', dtype: 'F16' });
      expect(new Set(plan.names.map(blockOf))).toEqual(new Set(tensors.map(([name]) => blockOf(name))));
      const roles = new Set(plan.matrices.map(({ role }) => role.replace(/^.*transformer_blocks\./, '')));
      for (const role of ['attn1.to_q.weight', 'attn2.to_k.weight', 'attn2.to_v.weight', 'ff.net.2.weight'])
        expect(roles).toContain(role);
    }
  });

  it('chooses the same matrices whatever container a model lies in', () => {
    for (const [, family, tensors] of MODELS) {
      const one = planAfterHeaders(tensors, { family, dtype: 'BF16' });
      const other = planAfterHeaders(tensors, { family, dtype: 'F16', order: 'listed' });
      const missing = one.matrices.filter(({ name }) => !other.names.includes(name));
      expect(missing.length).toBeLessThan(one.matrices.length * 0.05);
    }
  });

  it('bounds its work for a file of absurdly many tensors', () => {
    // one block of 30,000 tensors beside 30,000 blocks of one
    const hostile: NamedShape[] = Array.from({ length: 60_000 }, (_, i) => [
      i % 2 ? `down_blocks.${i}.resnets.0.conv1.weight` : `mid_block.resnets.0.x${i}.weight`,
      [100, 100],
    ]);
    const plan = planAfterHeaders(hostile, { family: 'stable-diffusion', dtype: 'F16' });
    expect(plan.requests).toBeLessThanOrEqual(256);
    expect(plan.names.length).toBeLessThanOrEqual(8192);
  }, 10_000);
});
