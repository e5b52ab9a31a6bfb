import { describe, expect, it } from 'vitest';
import type { ModelShape } from './types.ts';
import { widthsDiffer } from './widths-differ.ts';

const shape = (
  hidden: number | null,
  more: Partial<ModelShape['widths']> = {},
  family: ModelShape['family'] = 'llama',
) => ({
  family,
  widths: {
    hidden,
    intermediate: null,
    heads: null,
    kvHeads: null,
    headDim: null,
    layers: null,
    vocab: null,
    crossAttention: null,
    ...more,
  },
});

describe('widthsDiffer', () => {
  it('by hidden size, cross attention or family', () => {
    expect(widthsDiffer(shape(64), shape(80))).toBe(true);
    expect(widthsDiffer(shape(null, { crossAttention: 768 }), shape(null, { crossAttention: 2048 }))).toBe(
      true,
    );
    expect(widthsDiffer(shape(64), shape(64, {}, 'stable-diffusion'))).toBe(true);
  });

  it('not by what may change, nor by what is unknown', () => {
    expect(widthsDiffer(shape(64, { layers: 4, vocab: 256 }), shape(64, { layers: 6, vocab: 288 }))).toBe(
      false,
    );
    expect(widthsDiffer(shape(64), shape(null))).toBe(false);
    expect(widthsDiffer(shape(64), null)).toBe(false);
    expect(widthsDiffer(null, null)).toBe(false);
  });
});
