import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { HublineageError } from '../types/errors.ts';
import type { Answer } from './ask-models.ts';

/** Minutes of reading. The paper's 156 models x 128 genes x 32 probes are 640,000. */
const MAX_ROWS = 20_000_000;
/** characters a line: prompts are a paragraph, completions a few words */
const MAX_LINE = 1_000_000;
const MAX_MODELS = 1000;
const MAX_GENES = 100_000;
/** characters: in JSON each may take six, and a line of completions holds one prompt */
const MAX_GENE = 100_000;
/** of all genes */
const MAX_GENE_CHARACTERS = 64_000_000;

/**
 * Completions from a file of JSON lines: `{"model": "a/b", "prompt": "...", "completion": "..."}`, one a probe; blank lines are skipped.
 * What `--endpoint` adds carries the number of its `probe` besides.
 * UsageInvalid with the line for anything else, a missing file, or more than 20 million rows.
 */
export async function* readCompletions(file: string): AsyncGenerator<Answer> {
  const models = new Set<string>();
  let row = 0;
  for await (const line of readLines(file)) {
    row++;
    const where = `${file}, line ${row}`;
    if (row > MAX_ROWS) throw unusable(`more than ${MAX_ROWS} lines`, where, undefined, SIZE_HINT);
    if (line.trim() === '') continue;
    const answer = toAnswer(line, where);
    models.add(answer.model);
    if (models.size > MAX_MODELS)
      throw unusable(`more than ${MAX_MODELS} models`, where, undefined, SIZE_HINT);
    yield answer;
  }
}

/** Genes: one prompt a line, as JSON (`{"prompt": "..."}` or a string) or, where a line is neither, as it stands. */
export async function readGenes(file: string): Promise<string[]> {
  const genes = new Set<string>();
  let row = 0;
  let characters = 0;
  for await (const line of readLines(file)) {
    row++;
    if (line.trim() === '') continue;
    const gene = toGene(line);
    if (genes.has(gene)) continue;
    if (gene.length > MAX_GENE)
      throw unusableGenes(`a prompt longer than ${MAX_GENE} characters`, `${file}, line ${row}`);
    characters += gene.length;
    genes.add(gene);
    if (genes.size > MAX_GENES) throw unusableGenes(`more than ${MAX_GENES} prompts`, file);
    if (characters > MAX_GENE_CHARACTERS)
      throw unusableGenes(`more than ${MAX_GENE_CHARACTERS} characters of prompts`, file);
  }
  if (genes.size === 0) throw unusableGenes('there are none', file);
  return [...genes];
}

function toGene(line: string): string {
  if (!/^\s*["{]/.test(line)) return line;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'string') return value;
    const prompt = (value as { prompt?: unknown } | null)?.prompt;
    if (typeof prompt === 'string') return prompt;
  } catch {
    // a line of text that begins with a quote or a brace
  }
  return line;
}

function toAnswer(line: string, where: string): Answer {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw unusable(`not JSON (${JSON.stringify(line.slice(0, 40))})`, where, cause);
  }
  const { model, prompt, completion, probe } = (value ?? {}) as Record<string, unknown>;
  if (typeof model !== 'string' || typeof prompt !== 'string' || typeof completion !== 'string')
    throw unusable('model, prompt and completion must be strings', where);
  if (model === '' || model.length > 300) throw unusable('a model name has 1 to 300 characters', where);
  const numbered = typeof probe === 'number' && Number.isSafeInteger(probe) && probe >= 0;
  return numbered ? { model, prompt, completion, probe } : { model, prompt, completion };
}

async function* readLines(file: string): AsyncGenerator<string> {
  const stream = createReadStream(file, { encoding: 'utf8' });
  let failure: unknown = null;
  stream.on('error', (error) => {
    failure = error;
  });
  // readline keeps a line in memory until it ends: a file that is one endless line must not get that far
  let pending = 0;
  stream.on('data', (chunk) => {
    const end = chunk.lastIndexOf('\n');
    pending = end < 0 ? pending + chunk.length : chunk.length - end - 1;
    if (pending > MAX_LINE)
      stream.destroy(
        new HublineageError('UsageInvalid', `A line is longer than ${MAX_LINE} characters.`, {
          where: file,
          hint: 'One prompt, or one JSON object, a line.',
        }),
      );
  });
  try {
    let first = true;
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      // some editors put a byte order mark before the first line
      yield first ? line.replace(/^\ufeff/, '') : line;
      first = false;
    }
  } catch (error) {
    failure ??= error;
  } finally {
    stream.destroy();
  }
  if (failure instanceof HublineageError) throw failure;
  if (failure !== null)
    throw new HublineageError(
      'UsageInvalid',
      `The file cannot be read (${(failure as NodeJS.ErrnoException).code ?? 'broken'}).`,
      { where: file, hint: 'Check the path and the permissions of the file.', cause: failure },
    );
}

function unusableGenes(message: string, where: string): HublineageError {
  return new HublineageError('UsageInvalid', `Prompts cannot be used: ${message}.`, {
    where,
    hint: 'One prompt a line, as text or as JSON: {"prompt": "..."}.',
  });
}

const LINE_HINT = 'One JSON object a line: {"model": "owner/name", "prompt": "...", "completion": "..."}.';
const SIZE_HINT = 'Compare fewer models at a time, or fewer completions of each prompt.';

function unusable(message: string, where: string, cause?: unknown, hint = LINE_HINT): HublineageError {
  return new HublineageError('UsageInvalid', `Completions cannot be used: ${message}.`, {
    where,
    hint,
    cause,
  });
}
