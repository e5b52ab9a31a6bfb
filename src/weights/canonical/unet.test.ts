import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listUnetNames, type UnetPlan } from '../testing/made-up-unets.ts';
import { fromDiffusersUnetName, fromLdmUnetNames } from './unet.ts';

const mapAll = (plan: UnetPlan) => {
  const names = listUnetNames(plan);
  const mapped = fromLdmUnetNames(names.map(({ ldm }) => ldm));
  return names.map(({ ldm, diffusers }) => ({ ldm, expected: diffusers, got: mapped.get(ldm) ?? null }));
};

describe('fromLdmUnetNames', () => {
  it.each<[string, UnetPlan]>([
    ['SD 1 and 2', { depths: [1, 1, 1, 0], layersPerBlock: 2, middleDepth: 1, addEmbedding: false }],
    ['SDXL', { depths: [0, 2, 10], layersPerBlock: 2, middleDepth: 10, addEmbedding: true }],
    ['the SDXL refiner', { depths: [0, 4, 4, 0], layersPerBlock: 2, middleDepth: 4, addEmbedding: true }],
    [
      'SSD-1B: no attention in the middle',
      { depths: [0, 2, 4], layersPerBlock: 2, middleDepth: 0, addEmbedding: true },
    ],
    ['one level', { depths: [1], layersPerBlock: 1, middleDepth: 1, addEmbedding: false }],
  ])('maps %s', (_what, plan) => {
    for (const { got, expected } of mapAll(plan)) expect(got).toBe(expected);
  });

  it('maps any structure', () => {
    const plan = fc.record({
      depths: fc.array(fc.nat(2), { minLength: 1, maxLength: 5 }),
      layersPerBlock: fc.integer({ min: 1, max: 3 }),
      middleDepth: fc.nat(2),
      addEmbedding: fc.boolean(),
    });
    fc.assert(
      fc.property(plan, (any) => {
        expect(mapAll(any).filter(({ got, expected }) => got !== expected)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves names it does not know out', () => {
    const mapped = fromLdmUnetNames([
      'input_blocks.1.0.in_layers.2.weight',
      'input_blocks.1.0.in_layers.7.weight',
      'foo.bar',
    ]);
    expect([...mapped.keys()]).toEqual(['input_blocks.1.0.in_layers.2.weight']);
  });
});

describe('fromDiffusersUnetName', () => {
  it.each([
    ['conv_in.weight', 'conv_in.weight'],
    ['unet.mid_block.resnets.0.conv1.bias', 'mid_block.resnets.0.conv1.bias'],
    ['down_blocks.0.attentions.1.query.weight', 'down_blocks.0.attentions.1.to_q.weight'],
    ['mid_block.attentions.0.proj_attn.bias', 'mid_block.attentions.0.to_out.0.bias'],
    [
      'up_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight',
      'up_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight',
    ],
    ['down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight', null],
    ['encoder.conv_in.weight', null],
    ['text_model.encoder.layers.0.mlp.fc1.weight', null],
  ])('%s -> %s', (name, canonical) => {
    expect(fromDiffusersUnetName(name)).toBe(canonical);
  });
});
