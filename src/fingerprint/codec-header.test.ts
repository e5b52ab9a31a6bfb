import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeFingerprint } from './codec.ts';

/** A blob with a sound envelope around any header and values. */
function wrap(header: unknown, values = new Uint8Array()): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return new Uint8Array(
    Buffer.concat([Buffer.from('HLFP\x01', 'latin1'), deflateSync(Buffer.concat([length, json, values]))]),
  );
}

const summary = {
  scheme: 1,
  family: 'llama',
  architecture: 'LlamaForCausalLM',
  kind: 'full',
  format: 'safetensors',
  dtype: 'F32',
  quantized: false,
  params: 1,
  widths: {},
  adapter: null,
  coreKey: 'k',
  files: [],
  notes: [],
};
const tensor = ['a', 'a', null, [1], 'F32', 'plain', 1, 'bf16', '0000000000000000'];

describe('the header of a blob', () => {
  it('is taken when it is sound', () => {
    expect(decodeFingerprint(wrap({ summary, core: [0, 'f32'], tensors: [] })).tensors).toEqual([]);
  });

  for (const [what, header] of [
    ['no JSON', '{'],
    ['an array', []],
    ['no summary', { core: [0, 'f32'], tensors: [] }],
    ['an unknown family', { summary: { ...summary, family: 'x' }, core: [0, 'f32'], tensors: [] }],
    [
      'a width that is a word',
      { summary: { ...summary, widths: { hidden: 'x' } }, core: [0, 'f32'], tensors: [] },
    ],
    ['a packing nobody knows', { summary, core: [0, 'f8'], tensors: [] }],
    ['a negative count', { summary, core: [-1, 'f32'], tensors: [] }],
    ['a billion values', { summary, core: [1e9, 'f32'], tensors: [] }],
    ['tensors that are not a list', { summary, core: [0, 'f32'], tensors: 7 }],
    ['a tensor without fields', { summary, core: [0, 'f32'], tensors: [[]] }],
    ['values missing', { summary, core: [0, 'f32'], tensors: [tensor] }],
    ['a note that is a number', { summary: { ...summary, notes: [1] }, core: [0, 'f32'], tensors: [] }],
  ] as const)
    it(`is refused with ${what}`, () => {
      expect(() => decodeFingerprint(wrap(header))).toThrow(
        expect.objectContaining({ code: 'DatabaseInvalid' }),
      );
    });

  it('is refused when a hash does not belong to the values', () => {
    const blob = wrap({ summary, core: [0, 'f32'], tensors: [tensor] }, Uint8Array.of(0x3f, 0x80));
    expect(() => decodeFingerprint(blob)).toThrow(/do not match their hash/);
  });

  it('does not inflate a bomb', () => {
    const bomb = Buffer.concat([Buffer.from('HLFP\x01', 'latin1'), deflateSync(Buffer.alloc(80 << 20))]);
    expect(() => decodeFingerprint(new Uint8Array(bomb))).toThrow(/does not inflate/);
  });
});
