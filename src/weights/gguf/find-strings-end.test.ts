import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemorySource } from '../../../test/lib/memory-source.ts';
import { GGUF, type GgufKey, text, u32, writeGguf } from '../../../test/lib/write-gguf.ts';
import { openGguf } from './open-gguf.ts';

const LETTERS = 'etaoinshrdlu.,ĠÃ中_0 qwxyz{}%'.repeat(40);

/** Words as tokenizers number them: bytes first, then longer and longer ones. */
function words(count: number, seed: number, join = ''): string[] {
  let state = seed;
  const next = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const word = (i: number) => {
    const from = next(LETTERS.length - 32);
    return LETTERS.slice(from, from + 1 + next(2 + Math.log2(1 + i)));
  };
  return Array.from({ length: count }, (_, i) => (join === '' ? word(i) : `${word(i)}${join}${word(i)}`));
}

const list = (key: string, items: string[]): GgufKey => ({
  key,
  type: GGUF.array,
  value: { type: GGUF.string, items },
});
const tensors = ['token_embd.weight', 'blk.0.attn_norm.weight', 'output_norm.weight'].map((name, i) => ({
  name,
  shape: [40 + i],
  typeId: 0,
  data: new Uint8Array(4 * (40 + i)).fill(i),
}));
const after = [
  u32('tokenizer.ggml.bos_token_id', 1),
  text('tokenizer.chat_template', '{{ x }}'.repeat(800)),
  u32('general.quantization_version', 2),
];

function llama3(tokens: string[], merges: string[], rest: GgufKey[] = after): Uint8Array {
  return writeGguf({
    keys: [
      text('general.architecture', 'llama'),
      list('tokenizer.ggml.tokens', tokens),
      {
        key: 'tokenizer.ggml.scores',
        type: GGUF.array,
        value: { type: GGUF.f32, items: new Float32Array(tokens.length) },
      },
      list('tokenizer.ggml.merges', merges),
      ...rest,
    ],
    tensors,
  });
}

async function open(bytes: Uint8Array) {
  const source = createMemorySource(bytes);
  const contents = await openGguf([source]);
  const read = source.reads.reduce((sum, { length }) => sum + length, 0);
  return { contents, read, requests: source.reads.length };
}

describe('long lists of strings', () => {
  it('are passed by looking at a few places of them', async () => {
    const bytes = llama3(words(128_256, 1), words(280_147, 2, ' '));
    expect(bytes.length).toBeGreaterThan(7_000_000);
    const { contents, read, requests } = await open(bytes);
    expect(contents.notes.join()).toContain('tokenizer.ggml.tokens, tokenizer.ggml.merges');
    expect(contents.tensors.map(({ name, offset, shape }) => [name, bytes[offset], shape])).toEqual(
      tensors.map(({ name, shape }, i) => [name, i, shape]),
    );
    expect(contents.values.get('general.quantization_version')).toBe(2);
    expect(read).toBeLessThan(1_200_000);
    expect(requests).toBeLessThan(45);
  });

  it.each([
    [
      'words that look like keys',
      words(110_000, 3).map((word, i) => (i % 50 === 49 ? 'general.name' : word)),
      after,
    ],
    [
      'words longer than words are',
      words(110_000, 4).map((word, i) => (i % 90 === 1 ? word.repeat(800) : word)),
      after,
    ],
    ['no key after the last list', words(110_000, 5), []],
    ['an unknown key after it', words(110_000, 6), [u32('zzz.unknown', 1), ...after]],
  ])('are walked where their end cannot be told: %s', async (_, merges, rest) => {
    const { contents } = await open(llama3(words(110_000, 7), merges, rest));
    expect(contents.tensors.map(({ name }) => name)).toEqual(tensors.map(({ name }) => name));
    expect(contents.values.has('zzz.unknown')).toBe(rest[0]?.key === 'zzz.unknown');
  });

  it('give the same header however long they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 100_000, max: 130_000 }),
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 0, max: 300 }),
        async (count, seed, extra) => {
          const keys = [text('general.basename', 'x'.repeat(extra)), ...after];
          const { contents } = await open(
            llama3(words(count, seed), words(count + extra, seed + 1, ' '), keys),
          );
          expect(contents.tensors.map(({ shape }) => shape)).toEqual(tensors.map(({ shape }) => shape));
          expect(contents.values.get('general.basename')).toBe('x'.repeat(extra));
        },
      ),
      { numRuns: 3 },
    );
  });

  it('tell a file that is cut off, or announces what it does not hold, by the same code as ever', async () => {
    const bytes = llama3(words(110_000, 8), words(110_000, 9, ' '));
    await expect(open(bytes.slice(0, bytes.length - 300))).rejects.toMatchObject({ code: 'OffsetInvalid' });
    const lying = bytes.slice();
    new DataView(lying.buffer).setUint32(16, 60, true);
    await expect(open(lying)).rejects.toMatchObject({ code: expect.stringMatching(/^Header/) });
  });
});
