import { type FileHandle, open } from 'node:fs/promises';
import { HublineageError } from '../types/errors.ts';
import type { Answer } from './ask-models.ts';

/** Completions on disk, added to as they come. */
export interface AnswersFile {
  /** characters of a line cut short by a killed run that were taken away; 0 when there was none */
  readonly repaired: number;
  /** Resolves when the line is written; lines never mix. */
  append(answer: Answer): Promise<void>;
  close(): Promise<void>;
}

/** bytes looked at for the last line */
const MAX_TAIL_BYTES = 4_000_000;
/** Kept of a completion: its first four characters count. An endpoint that sends a megabyte must not fill the disk. */
const MAX_KEPT_CHARACTERS = 2000;

const LINE_START = '{"model":';

/**
 * Opens a file of completions for adding, making it where there is none. A run that was killed may have left half a line: it is taken away,
 * and asked for again. Anything else that is no line of completions is left alone and refused. UsageInvalid when it cannot be written.
 */
export async function openAnswers(path: string): Promise<AnswersFile> {
  let handle: FileHandle;
  try {
    // whatever is written goes to the end, also where two runs write at once
    handle = await open(path, 'a+');
  } catch (cause) {
    throw new HublineageError('UsageInvalid', 'The file of completions cannot be written.', {
      where: path,
      cause,
    });
  }
  try {
    const repaired = await endLastLine(handle, path);
    return { repaired, ...createAppender(handle) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function createAppender(handle: FileHandle): Pick<AnswersFile, 'append' | 'close'> {
  let last: Promise<void> = Promise.resolve();
  return {
    append({ model, prompt, completion, probe }) {
      const line = `${JSON.stringify({ model, prompt, completion: shorten(completion), probe })}\n`;
      const written = last.then(() => handle.appendFile(line));
      // the next line does not fail because this one did: its own caller hears of it
      last = written.catch(() => {});
      return written;
    },
    async close() {
      await last;
      await handle.close();
    },
  };
}

function shorten(completion: string): string {
  if (completion.length <= MAX_KEPT_CHARACTERS) return completion;
  return completion.trimStart().slice(0, MAX_KEPT_CHARACTERS).toWellFormed();
}

/** @returns characters taken away */
async function endLastLine(handle: FileHandle, path: string): Promise<number> {
  const { size } = await handle.stat();
  const from = Math.max(0, size - MAX_TAIL_BYTES);
  const bytes = Buffer.alloc(size - from);
  await handle.read(bytes, 0, bytes.length, from);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end === bytes.length) return 0;
  const tail = bytes.toString('utf8', end);
  if (isWhole(tail)) {
    await handle.appendFile('\n');
    return 0;
  }
  if (!tail.startsWith(LINE_START) && !LINE_START.startsWith(tail))
    throw new HublineageError('UsageInvalid', 'The file does not end with a line of completions.', {
      where: path,
      hint: 'Name a new file: answers are added to it, and nothing is added to a file of another kind.',
    });
  await handle.truncate(from + end);
  return tail.length;
}

function isWhole(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
