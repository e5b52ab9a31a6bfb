import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canDecode, decodeBlocks } from './decode-blocks.ts';
import { type GgmlType, toGgmlType } from './ggml-types.ts';

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../test/fixtures/ggml-blocks.json'), 'utf8'),
);
const types = Array.from({ length: 64 }, (_, id) => toGgmlType(id)).filter((type) => type !== null);
const named = (name: string) => types.find((type) => type.name === name) as GgmlType;

describe('decodeBlocks', () => {
  it.each(Object.keys(fixture.decode))('%s gives the floats ggml gives, bit for bit', (name) => {
    const { blocks, values } = fixture.decode[name];
    const decoded = decodeBlocks(named(name), new Uint8Array(Buffer.from(blocks, 'base64')), 2);
    expect(Buffer.from(decoded.buffer).toString('base64')).toBe(values);
  });

  it('reads every type this project promises', () => {
    const promised =
      'F32 F16 BF16 F64 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS MXFP4'.split(' ');
    expect(promised.filter((name) => !canDecode(named(name)))).toEqual([]);
  });

  it('refuses codebook types and short bytes by name', () => {
    expect(canDecode(named('IQ2_XS'))).toBe(false);
    expect(() => decodeBlocks(named('IQ2_XS'), new Uint8Array(74), 1)).toThrow('IQ2_XS');
    expect(() => decodeBlocks(named('Q6_K'), new Uint8Array(209), 1)).toThrow('Q6_K');
  });
});
