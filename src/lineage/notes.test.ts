import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNotebook, NOTHING, type StoredNotes, TOPICS } from './notes.ts';

/** A question about models of some contents, and an answer that follows from it. */
interface Question {
  topic: (typeof TOPICS)[keyof typeof TOPICS];
  contents: string[];
  further: number[];
  frame: string;
}

const content = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f0', 'f1', 'aa');
const question: fc.Arbitrary<Question> = fc.record({
  topic: fc.constantFrom(...Object.values(TOPICS)),
  contents: fc.array(content, { maxLength: 4 }),
  further: fc.array(fc.constantFrom(0, 1, -1, 0.5, Number.POSITIVE_INFINITY), { maxLength: 3 }),
  frame: fc.constantFrom('', 'x', 'y'),
});
const answer = (q: Question) =>
  [...JSON.stringify(q)].map((c) => c.charCodeAt(0) / 7).slice(0, q.contents.length * 9);

/** Asks everything; the members stand in the order given, so that numbers of models mean something else every time. */
function askAll(stored: unknown, questions: readonly Question[], members: readonly string[]) {
  const book = createNotebook(stored);
  let worked = 0;
  for (const q of questions) {
    const notes = book.open(members, q.frame);
    const found = notes.ask(
      q.topic,
      q.contents.map((c) => members.indexOf(c)),
      q.further,
      () => {
        worked++;
        return answer(q);
      },
    );
    expect(Array.from(found)).toEqual(answer(q));
  }
  return { worked, stored: book.close() };
}

const ALL = ['a', 'b', 'c', 'd', 'e', 'f0', 'f1', 'aa'];

describe('notes', () => {
  it('answer what was asked before, by content, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(question, { maxLength: 60 }),
        fc.array(question, { maxLength: 60 }),
        fc.shuffledSubarray(ALL, { minLength: ALL.length }),
        (first, second, members) => {
          const before = askAll(undefined, first, ALL);
          const known = new Set(first.map((q) => JSON.stringify(q)));
          expect(before.worked).toBe(known.size);
          const fresh = new Set(second.map((q) => JSON.stringify(q)).filter((q) => !known.has(q)));
          const after = askAll(structuredClone(before.stored), second, members);
          expect(after.worked).toBe(fresh.size);
          // what nobody asked for was left out
          expect(after.stored.ends).toHaveLength(new Set(second.map((q) => JSON.stringify(q))).size);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('take anything else than notes for none', () => {
    const { stored } = askAll(undefined, [{ topic: 1, contents: ['a'], further: [], frame: '' }], ALL);
    const broken: unknown[] = [null, 7, 'x', {}, { ...stored, keys: new Uint32Array(1) }];
    broken.push({ ...stored, values: new Float64Array(2) }, { ...stored, values: [...stored.values] });
    const falling: StoredNotes = {
      keys: new Uint32Array(6),
      ends: Uint32Array.of(2, 1, 3),
      values: new Float64Array(3),
    };
    for (const value of [...broken, falling]) {
      let worked = 0;
      const book = createNotebook(value);
      book.open(['a'], '').ask(1, [0], NOTHING, () => {
        worked++;
        return [5];
      });
      expect(worked).toBe(1);
    }
  });

  it('hold many', () => {
    const book = createNotebook(undefined);
    const notes = book.open(['a', 'b'], '');
    for (let i = 0; i < 20_000; i++) notes.ask(1, [0, 1], [i], () => [i, -i]);
    const again = createNotebook(book.close()).open(['b', 'a'], '');
    for (let i = 0; i < 20_000; i++)
      expect(Array.from(again.ask(1, [1, 0], [i], () => expect.unreachable()))).toEqual([i, -i]);
  });
});
