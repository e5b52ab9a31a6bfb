import { describe, expect, it } from 'vitest';
import { adapterFits } from './adapter-fit.ts';

const q = 'model.layers.0.self_attn.q_proj.weight';
const base = [
  { name: q, shape: [64, 64] },
  { name: 'lm_head.weight', shape: [256, 64] },
  { name: 'conv.weight', shape: [32, 16, 3, 3] },
  { name: 'model.norm.weight', shape: [64] },
];

describe('adapterFits', () => {
  it('fits where all known targets have the factors outer shape', () => {
    expect(adapterFits({ [q]: [64, 64] }, base)).toBe(true);
    expect(adapterFits({ 'conv.weight': [32, 144] }, base)).toBe(true);
  });

  it('does not where one differs', () => {
    expect(adapterFits({ [q]: [80, 80], 'lm_head.weight': [256, 64] }, base)).toBe(false);
  });

  it('lets a vocabulary grow, not the width', () => {
    expect(adapterFits({ 'lm_head.weight': [288, 64] }, base)).toBe(true);
    expect(adapterFits({ 'lm_head.weight': [256, 80] }, base)).toBe(false);
  });

  it('says nothing without a common target', () => {
    expect(adapterFits({ 'other.weight': [1, 1], 'model.norm.weight': [64, 64] }, base)).toBeNull();
    expect(adapterFits({}, base)).toBeNull();
  });
});
