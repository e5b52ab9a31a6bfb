import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countPositions, type Segment, samplePositions, type TensorGeometry } from './positions.ts';
import { DEFAULT_SAMPLING } from './scheme.ts';

const matrix = (role: string, rows: number, cols: number): TensorGeometry => ({
  role,
  shape: [rows, cols],
  rows,
  cols,
});
const positionsOf = (tensor: TensorGeometry, seed = DEFAULT_SAMPLING.seed) =>
  samplePositions(tensor, { ...DEFAULT_SAMPLING, seed });

const ROLES = [
  'self_attn.q_proj.weight',
  'self_attn.k_proj.weight',
  'self_attn.v_proj.weight',
  'self_attn.o_proj.weight',
  'mlp.gate_proj.weight',
  'mlp.down_proj.weight',
  'down_blocks.attentions.transformer_blocks.attn2.to_k.weight',
  'lora',
];
const anyRole = fc.constantFrom(...ROLES);
const anyMatrix = fc
  .tuple(anyRole, fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 1, max: 40_000 }))
  .map(([role, rows, cols]) => matrix(role, rows, cols));

describe('positions of a matrix', () => {
  it('lie inside it, in order, without overlap', () => {
    fc.assert(
      fc.property(anyMatrix, fc.nat(), (tensor, seed) => {
        const segments = positionsOf(tensor, seed);
        segments.forEach(({ row, col, count }, i) => {
          expect(row >= 0 && row < tensor.rows && col >= 0 && count > 0 && col + count <= tensor.cols).toBe(
            true,
          );
          const before = segments[i - 1];
          if (before) expect(row).toBe(before.row + 1);
        });
      }),
    );
  });

  it('number about 512, or all there are', () => {
    fc.assert(
      fc.property(anyMatrix, (tensor) => {
        const count = countPositions(positionsOf(tensor));
        const { rows, cols } = tensor;
        if (rows * cols <= 512) expect(count).toBe(rows * cols);
        else if (cols < 64) expect(count).toBe(Math.min(rows, Math.ceil(512 / cols)) * cols);
        else expect(count).toBe(rows >= 8 ? 512 : count);
        expect(count).toBeLessThan(512 + 64);
      }),
    );
  });

  it('span at most 8192 values, so that one short request covers them', () => {
    fc.assert(
      fc.property(anyMatrix, fc.nat(), (tensor, seed) => {
        const segments = positionsOf(tensor, seed);
        const first = segments[0] as Segment;
        const last = segments.at(-1) as Segment;
        const span = (last.row - first.row) * tensor.cols + last.col + last.count - first.col;
        expect(span).toBeLessThanOrEqual(8192);
      }),
    );
  });

  it('keep whole blocks of 32 values, and of 256 in wide matrices', () => {
    fc.assert(
      fc.property(
        anyRole,
        fc.integer({ min: 8, max: 4000 }),
        fc.integer({ min: 64, max: 40_000 }),
        (role, rows, cols) => {
          const block = cols > 2048 ? 256 : 32;
          for (const { col, count } of positionsOf(matrix(role, rows, cols))) {
            expect(col % block).toBe(0);
            expect(count % block).toBe(0);
          }
        },
      ),
    );
  });

  it('depend on role, shape and seed', () => {
    const here = positionsOf(matrix('mlp.up_proj.weight', 11_008, 4096));
    expect(positionsOf(matrix('mlp.up_proj.weight', 11_008, 4096))).toEqual(here);
    expect(positionsOf(matrix('mlp.gate_proj.weight', 11_008, 4096))).not.toEqual(here);
    expect(positionsOf(matrix('mlp.up_proj.weight', 14_336, 4096))).not.toEqual(here);
    expect(positionsOf(matrix('mlp.up_proj.weight', 11_008, 4096), 2)).not.toEqual(here);
  });

  it('begin at the first row, or end at the last, where norms are neighbours in the file', () => {
    expect(positionsOf(matrix('self_attn.q_proj.weight', 4096, 4096))[0]?.row).toBe(0);
    expect(positionsOf(matrix('self_attn.k_proj.weight', 1024, 4096))[0]?.row).toBe(0);
    expect(positionsOf(matrix('self_attn.v_proj.weight', 1024, 4096)).at(-1)?.row).toBe(1023);
    expect(positionsOf(matrix('down_blocks.resnets.conv1.weight', 320, 2880))[0]?.row).toBe(0);
  });

  it('are those of version 2 for ever: a change here is a new SCHEME_VERSION', () => {
    const flat = (tensor: TensorGeometry) =>
      positionsOf(tensor)
        .map(({ row, col, count }) => `${row}:${col}+${count}`)
        .join(' ');
    expect(flat(matrix('self_attn.q_proj.weight', 4096, 4096))).toMatchInlineSnapshot(`"0:3072+256 1:0+256"`);
    expect(flat(matrix('mlp.down_proj.weight', 4096, 11_008))).toMatchInlineSnapshot(
      `"2695:9984+256 2696:768+256"`,
    );
    expect(flat(matrix('mlp.gate_proj.weight', 176, 64))).toMatchInlineSnapshot(
      `"115:0+64 116:0+64 117:0+64 118:0+64 119:0+64 120:0+64 121:0+64 122:0+64"`,
    );
    expect(flat(matrix('mlp.up_proj.weight', 5632, 2048))).toMatchInlineSnapshot(
      `"516:1920+128 517:1536+128 518:1024+128 519:1024+128"`,
    );
    expect(flat(matrix('lm_head.weight', 32_000, 4096))).toMatchInlineSnapshot(
      `"42:3520+64 43:960+64 44:2432+64 45:192+64 114:3968+64 115:1216+64 116:384+64 117:640+64 13818:3712+64 13819:3904+64 13820:576+64 13821:896+64 30589:3584+64 30590:3200+64 30591:832+64 30592:384+64"`,
    );
    expect(flat(matrix('model.embed_tokens.weight', 32_000, 8192))).toMatchInlineSnapshot(
      `"21:7296+32 22:4192+32 23:3264+32 24:6240+32 25:2368+32 26:6272+32 27:5696+32 28:960+32 88:8032+32 89:7776+32 90:4288+32 91:3008+32 92:2560+32 93:7712+32 94:5824+32 95:384+32 2085:7232+32 2086:7456+32 2087:4896+32 2088:6368+32 2089:5280+32 2090:7136+32 2091:2976+32 2092:832+32 22892:8160+32 22893:7136+32 22894:2272+32 22895:3104+32 22896:6048+32 22897:2464+32 22898:5664+32 22899:384+32"`,
    );
  });
});

describe('positions of token rows', () => {
  const rolesOfTokens = fc.constantFrom('model.embed_tokens.weight', 'lm_head.weight');

  it('are the same whatever the size of the vocabulary', () => {
    fc.assert(
      fc.property(
        rolesOfTokens,
        fc.integer({ min: 1, max: 200_000 }),
        fc.integer({ min: 1, max: 200_000 }),
        fc.integer({ min: 1, max: 16_384 }),
        (role, small, large, width) => {
          expect(positionsOf(matrix(role, small, width))).toEqual(positionsOf(matrix(role, large, width)));
        },
      ),
    );
  });

  it('are four blocks of neighbouring tokens inside the row, more of them and shorter runs in the embedding', () => {
    fc.assert(
      fc.property(rolesOfTokens, fc.integer({ min: 1, max: 16_384 }), fc.nat(), (role, width, seed) => {
        const segments = positionsOf(matrix(role, 32_000, width), seed);
        const tokens = role === 'lm_head.weight' ? 4 : width <= 4096 ? 16 : width <= 8192 ? 8 : 4;
        expect(segments).toHaveLength(4 * tokens);
        segments.forEach(({ row, col, count }, i) => {
          expect(row).toBe((segments[i - (i % tokens)] as Segment).row + (i % tokens));
          expect(row).toBeLessThanOrEqual(31_900);
          expect(count).toBe(Math.min(role === 'lm_head.weight' ? 64 : 32, width));
          expect(col % count === 0 && col + count <= width).toBe(true);
        });
        const blocks = [0, 1, 2, 3].map((i) => (segments[i * tokens] as Segment).row);
        expect(blocks).toEqual(blocks.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe('positions of a vector', () => {
  it('are the whole of it, up to a bound no real one reaches', () => {
    expect(positionsOf({ role: 'norm.weight', shape: [4096], rows: 1, cols: 4096 })).toEqual([
      { row: 0, col: 0, count: 4096 },
    ]);
    expect(countPositions(positionsOf({ role: 'x', shape: [1e9], rows: 1, cols: 1e9 }))).toBe(65_536);
    expect(positionsOf({ role: 'x', shape: [], rows: 1, cols: 1 })).toEqual([{ row: 0, col: 0, count: 1 }]);
    expect(positionsOf({ role: 'x', shape: [0, 5], rows: 0, cols: 5 })).toEqual([]);
  });
});
