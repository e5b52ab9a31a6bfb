import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFormulaModel } from '../../test/lib/formula-model.ts';
import { createLlamaSummary } from '../../test/lib/llama-summary.ts';
import { LLAMA_7B, llamaTensors } from '../../test/lib/real-shapes.ts';
import { HublineageError } from '../types/errors.ts';
import type { Fingerprint, TensorSample } from '../types/fingerprint.ts';
import { decodeCore, decodeFingerprint, decodeSamples, encodeFingerprint } from './codec.ts';
import { fingerprintModel } from './fingerprint-model.ts';
import { hashValues } from './hash.ts';
import { DEFAULT_SAMPLING } from './scheme.ts';
import { computeStats } from './stats.ts';

function toSample(name: string, values: Float32Array): TensorSample {
  return {
    name,
    role: name,
    layer: 3,
    shape: [values.length],
    dtype: 'F32',
    encoding: 'plain',
    values,
    stats: computeStats(values),
    hash: hashValues(values),
  };
}

function toFingerprint(tensors: TensorSample[], core: Float32Array): Fingerprint {
  return {
    ...createLlamaSummary({
      params: 7e9,
      widths: { hidden: 4096, heads: 32, kvHeads: 32, headDim: 128, layers: 32, vocab: 32_000 },
      adapter: { type: 'peft', rank: 8, alpha: 16, targets: ['q_proj'], targetShapes: { x: [4, 4] } },
      core,
      coreKey: 'llama/1/x',
      files: [{ path: 'a.safetensors', size: 5, sha256: null }],
      notes: ['a remark'],
    }),
    tensors,
  };
}

/** Float32 values by their bits, in the formats models are stored in; NaN only in the form fingerprints use. */
const bits = fc.oneof(
  fc.nat({ max: 0xffff }).map((high) => high * 0x10000),
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(0, 0x80000000, 0x7fc00000, 0x7f800000, 0xff800000, 1, 0x38800000, 0x33800000, 0x477fe000),
);
const values = fc.array(bits, { maxLength: 80 }).map((list) => {
  const array = new Float32Array(Uint32Array.from(list).buffer);
  return array.map((x) => (Number.isNaN(x) ? Number.NaN : x));
});
const bitsOf = (array: Float32Array) => [...new Uint32Array(array.buffer, array.byteOffset, array.length)];

describe('the codec', () => {
  it('gives back every bit', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 6 }), values, (arrays, core) => {
        const fingerprint = toFingerprint(
          arrays.map((array, i) => toSample(`t${i}`, array)),
          core,
        );
        const encoded = encodeFingerprint(fingerprint);
        const back = decodeFingerprint(encoded.blob);
        expect(back).toEqual(fingerprint);
        back.tensors.forEach((tensor, i) => {
          expect(bitsOf(tensor.values)).toEqual(bitsOf(arrays[i] as Float32Array));
        });
        expect(bitsOf(back.core)).toEqual(bitsOf(core));
        expect(bitsOf(decodeCore(encoded.core))).toEqual(bitsOf(core));
        expect('tensors' in encoded.summary).toBe(false);
      }),
    );
  });

  it('keeps a 7B small', async () => {
    const noise = (name: string, row: number, col: number) => {
      const u = Math.sin(name.length * 12.9898 + row * 78.233 + col * 37.719) * 43758.5453;
      return 0.02 * Math.sqrt(-2 * Math.log(1e-9 + Math.abs(u % 1))) * Math.cos(u);
    };
    const model = createFormulaModel(llamaTensors(LLAMA_7B), {
      family: 'llama',
      dtype: 'BF16',
      value: noise,
    });
    const fingerprint = await fingerprintModel(model.weights, model.files, DEFAULT_SAMPLING);
    const { blob } = encodeFingerprint(fingerprint);
    const stored = fingerprint.tensors.reduce((sum, tensor) => sum + tensor.values.length, 0);
    expect(blob.length).toBeLessThan(2 * stored);
    expect(decodeSamples(blob)).toEqual(fingerprint.tensors);
  });

  const good = encodeFingerprint(
    toFingerprint(
      [toSample('a', Float32Array.from([1, 2, 3])), toSample('b', Float32Array.from([0.1]))],
      new Float32Array(4),
    ),
  ).blob;

  it('refuses a blob with any byte changed, cut or added', () => {
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bad = good.slice();
        bad[at] = (bad[at] as number) ^ change;
        let result: unknown;
        try {
          result = decodeFingerprint(bad);
        } catch (error) {
          result = error;
        }
        // a flipped bit in zlib's header flags can leave the content whole; anything else must be refused
        if (!(result instanceof HublineageError)) expect(result).toEqual(decodeFingerprint(good));
        else expect(result.code).toBe('DatabaseInvalid');
      }),
    );
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), (length) => {
        expect(() => decodeFingerprint(good.slice(0, length))).toThrow(HublineageError);
      }),
    );
  });

  it('refuses anything that is not a fingerprint', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => decodeFingerprint(bytes)).toThrow(HublineageError);
        const dressed = Uint8Array.from([...good.slice(0, 5), ...bytes]);
        expect(() => decodeFingerprint(dressed)).toThrow(HublineageError);
      }),
    );
    expect(() => decodeCore(new Uint8Array(5))).toThrow(HublineageError);
  });

  it('says that a newer layout wants a newer program', () => {
    const newer = good.slice();
    newer[4] = 2;
    expect(() => decodeFingerprint(newer)).toThrow(/layout 2/);
  });
});
