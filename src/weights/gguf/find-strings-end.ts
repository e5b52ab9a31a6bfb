import type { HeaderCursor } from './header-cursor.ts';

/** Shorter lists are walked: Llama 2's 32,000 words are half a megabyte. Llama 3's 128,256 words and 280,147 merges are seven. */
export const LONG_LIST = 100_000;

const PROBE_BYTES = 16 * 1024;
/** A gap this narrow is read whole and walked. */
const WALKED_BYTES = 128 * 1024;
const MAX_PROBES = 40;
const MIN_STEP_BYTES = 256 * 1024;
/** Words and merges grow longer down their list: where the list is longer than guessed, by how much more of it to guess again. */
const GROWTH = 0.15;
/** Longest string taken for a word; anything longer is no word list. */
const MAX_WORD_BYTES = 1024;
/** Strings in a row that cannot be chance: a length has six zero bytes, and leads to the next one. */
const CHAIN = 8;
const MAX_KEY_BYTES = 128;
const KEY = /^(?:tokenizer|general|llama|split|quantize)\.[\w.-]+$/;
const LAST_TYPE = 12;

const latin = new TextDecoder('latin1');

type Found =
  /** strings up to `at`, the first byte of one that is not in the window */
  | { kind: 'strings'; at: number; average: number }
  /** the list ends at `at`, where a key begins */
  | { kind: 'end'; at: number }
  | { kind: 'other' };

/**
 * Where a list of `count` strings ends that begins at the cursor, found by looking at a few places of it instead of walking megabytes: a
 * string is its length and its bytes, so any piece of the list shows whether it is one, and after its last string stands a key. Null when
 * this cannot be told. The answer is a good guess about an honest file; whoever uses it has to hold what follows against the file's size.
 */
export async function findStringsEnd(cursor: HeaderCursor, count: number): Promise<number | null> {
  const start = cursor.position;
  const look = async (at: number, bytes: number, isStart: boolean) =>
    readWindow(await cursor.peek(at, bytes), at, isStart);
  const first = await look(start, PROBE_BYTES, true);
  if (first.kind !== 'strings') return null;

  // inside the list for sure, since each string takes eight bytes at least
  let inside = { at: start + 8 * count, isStart: false };
  let beyond: number | null = null;
  let guess = Math.max(inside.at, start + Math.ceil(count * first.average));
  for (let probes = 0; beyond === null || beyond - inside.at > WALKED_BYTES; probes++) {
    if (probes === MAX_PROBES) return null;
    const at: number = beyond === null ? guess : Math.floor((inside.at + beyond) / 2);
    const found = await look(at, PROBE_BYTES, false);
    if (found.kind === 'end') return found.at;
    if (found.kind === 'strings') inside = { at: found.at, isStart: true };
    else beyond = at;
    guess = inside.at + Math.max(MIN_STEP_BYTES, Math.ceil(GROWTH * (inside.at - start)));
  }
  const last = await look(inside.at, beyond - inside.at + PROBE_BYTES, inside.isStart);
  return last.kind === 'end' ? last.at : null;
}

/** What a window shows; where it does not begin with a string, the first place is looked for from which strings follow each other. */
function readWindow(bytes: Uint8Array, base: number, isStart: boolean): Found {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lastStart = isStart ? 0 : Math.min(8 + MAX_WORD_BYTES, bytes.length - 8);
  for (let from = 0; from <= lastStart; from++) {
    let at = from;
    let strings = 0;
    let wasEmpty = false;
    while (at + 8 <= bytes.length) {
      if ((strings > 0 || isStart) && isKey(view, at)) return { kind: 'end', at: base + at };
      const length = readLength(view, at);
      // a list of zeros (scores, say) reads as one of empty strings
      if (length > MAX_WORD_BYTES || (length === 0 && wasEmpty)) break;
      wasEmpty = length === 0;
      at += 8 + length;
      strings++;
    }
    if (at + 8 > bytes.length && strings >= CHAIN)
      return { kind: 'strings', at: base + at, average: (at - from) / strings };
  }
  return { kind: 'other' };
}

const readLength = (view: DataView, at: number) =>
  view.getUint32(at + 4, true) === 0 ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;

/** A key of a known kind, and after it the id of a value's type. */
function isKey(view: DataView, at: number): boolean {
  const length = readLength(view, at);
  if (length > MAX_KEY_BYTES || at + 12 + length > view.byteLength) return false;
  const text = latin.decode(new Uint8Array(view.buffer, view.byteOffset + at + 8, length));
  return KEY.test(text) && view.getUint32(at + 8 + length, true) <= LAST_TYPE;
}
