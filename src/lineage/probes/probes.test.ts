import { describe, expect, it } from 'vitest';
import { createLlamaSummary } from '../../../test/lib/llama-summary.ts';
import type { TensorSample, TensorStats } from '../../types/fingerprint.ts';
import type { LineageModel } from '../../types/lineage.ts';
import type { DType } from '../../types/weights.ts';
import { explainPair } from '../explain-pair.ts';
import { createNormal, createRandom } from '../numeric/random.ts';
import { PROBE_WORDS } from '../probe-words.ts';
import { PROBES } from './index.ts';
import type { PairSide } from './probe.ts';

const normal = createNormal(createRandom(5));
const COUNT = 2048;

function statsOf(values: Float32Array): TensorStats {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const moment = (k: number) => values.reduce((a, b) => a + (b - mean) ** k, 0) / values.length;
  const l2 = Math.sqrt(values.reduce((a, b) => a + b * b, 0));
  return {
    count: values.length,
    mean,
    std: Math.sqrt(moment(2)),
    l2,
    kurtosis: moment(4) / moment(2) ** 2 - 3,
  };
}

function toTensor(name: string, values: Float32Array, dtype: DType = 'F32'): TensorSample {
  return {
    name,
    role: name,
    layer: null,
    shape: [64, 32],
    dtype,
    encoding: 'plain',
    values,
    stats: statsOf(values),
    hash: [...values.slice(0, 64)].join(),
  };
}

function side(repo: string, day: number, tensors: TensorSample[], vocab = 100): PairSide {
  const model: LineageModel = {
    repo,
    owner: repo,
    createdAt: day * 86_400_000,
    fingerprint: createLlamaSummary({
      dtype: tensors[0]!.dtype,
      widths: { layers: 1, vocab },
      files: [{ path: 'a', size: 1, sha256: repo }],
    }),
  };
  return { model, tensors };
}

const draw = (scale: number) => Float32Array.from({ length: COUNT }, () => scale * normal());
const stepped = (from: Float32Array, r: number) => from.map((x) => x + r * 0.05 * normal());

const base = [draw(0.05), draw(0.05), draw(0.05), draw(0.05)];
const parent = side(
  'parent',
  1,
  base.map((v, i) => toTensor(`t${i}`, v)),
);
/** tuned by 10 %, the last tensor left alone */
const child = side(
  'child',
  5,
  base.map((v, i) => toTensor(`t${i}`, i === 3 ? v : stepped(v, 0.1))),
  108,
);
const stranger = side(
  'stranger',
  9,
  base.map((_, i) => toTensor(`t${i}`, draw(0.05))),
);

function answers(a: PairSide, b: PairSide) {
  return new Map(explainPair(a, b).map((e) => [e.probe, e]));
}

describe('probes', () => {
  const found = answers(child, parent);

  it('measure the step', () => {
    // three of four tensors moved by 10 %
    expect(found.get('close-in-distance')!.value).toBeCloseTo(0.1 * Math.sqrt(3 / 4), 2);
    expect(found.get('exact-values-kept')!.value).toBeCloseTo(0.25, 2);
    expect(found.get('untouched-tensors')!.value).toBe(0.25);
  });

  it('tell relatives from strangers', () => {
    expect(found.get('related-beyond-chance')!.outcome).toBe('supports');
    expect(found.get('related-beyond-chance')!.value!).toBeGreaterThan(0.98);
    const none = answers(stranger, parent).get('related-beyond-chance')!;
    expect(none.outcome).toBe('contradicts');
    expect(Math.abs(none.value!)).toBeLessThan(5 / Math.sqrt(4 * COUNT));
  });

  it('give direction the same size both ways round', () => {
    const back = answers(parent, child);
    for (const name of ['created-before', 'vocabulary-grew', 'smaller-norm'])
      expect(Math.sign(back.get(name)!.value!)).toBe(-Math.sign(found.get(name)!.value!));
    expect(found.get('created-before')!.value).toBe(4);
    expect(found.get('vocabulary-grew')!.value).toBe(8);
    expect(back.get('created-before')!.outcome).toBe('contradicts');
  });

  it('hold the norm against its noise and cap what it weighs', () => {
    // E|c|^2 - |p|^2 = r^2 |p|^2 with sd 2 r |p|^2 / sqrt(n): z = r sqrt(n) / 2 a tensor
    const z = found.get('smaller-norm')!.value!;
    expect(Math.abs(z - (Math.sqrt(3) * 0.1 * Math.sqrt(COUNT)) / 2)).toBeLessThan(4);
    for (const e of [...found.values(), ...answers(parent, child).values()])
      if (e.probe === 'smaller-norm') expect(Math.abs(e.logOdds)).toBeLessThanOrEqual(0.5);
  });

  it('see a cast and which side was rounded', () => {
    const half = (x: number) => {
      const word = new Uint32Array(Float32Array.of(x).buffer);
      word[0] = (word[0]! + 0x7fff + ((word[0]! >>> 16) & 1)) & 0xffff0000;
      return new Float32Array(word.buffer)[0]!;
    };
    const rounded = side(
      'rounded',
      2,
      base.map((v, i) => toTensor(`t${i}`, v.map(half), 'BF16')),
    );
    expect(answers(rounded, parent).get('equal-after-rounding')).toMatchObject({
      outcome: 'supports',
      value: 1,
    });
    expect(answers(parent, rounded).get('equal-after-rounding')!.outcome).toBe('contradicts');
  });

  it('each say what they ask and where that comes from', () => {
    expect(new Set(PROBES.map((p) => p.name)).size).toBe(PROBES.length);
    for (const { name, question, source } of PROBES) {
      expect(question).toMatch(/\?$/);
      expect(source).not.toBe('');
      expect(PROBE_WORDS[name]?.question).toBe(question);
    }
  });
});
