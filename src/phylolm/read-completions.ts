import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Completion } from '../lineage/index.ts';
import { HublineageError } from '../types/errors.ts';

/** PhyloLM's own reference matrix (4,096 genes x 128 probes of 150 models) is 80 million; a laptop's memory holds the alleles of these. */
const MAX_ROWS = 20_000_000;
/** characters a line: prompts are a paragraph, completions a few words */
const MAX_LINE = 1_000_000;
const MAX_MODELS = 1000;

/**
 * Completions from a file of JSON lines: `{"model": "a/b", "prompt": "...", "completion": "..."}`, one a probe; blank lines are skipped.
 * UsageInvalid with the line for anything else, a missing file, or more than 20 million rows.
 */
export async function* readCompletions(file: string): AsyncGenerator<Completion> {
  const models = new Set<string>();
  let row = 0;
  for await (const line of readLines(file)) {
    row++;
    if (line.trim() === '') continue;
    const where = `${file}, line ${row}`;
    if (row > MAX_ROWS) throw unusable(`more than ${MAX_ROWS} lines`, where);
    const completion = toCompletion(line, where);
    models.add(completion.model);
    if (models.size > MAX_MODELS) throw unusable(`more than ${MAX_MODELS} models`, where);
    yield completion;
  }
}

/** Genes: one prompt a line, as JSON (`{"prompt": "..."}` or a string) or, where a line is neither, as it stands. */
export async function readGenes(file: string): Promise<string[]> {
  const genes: string[] = [];
  for await (const line of readLines(file)) {
    if (line.trim() === '') continue;
    genes.push(toGene(line));
    if (genes.length > 100_000) throw unusable('more than 100,000 genes', file);
  }
  if (genes.length === 0) throw unusable('no genes', file);
  return [...new Set(genes)];
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

function toCompletion(line: string, where: string): Completion {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw unusable('not JSON', where, cause);
  }
  const { model, prompt, completion } = (value ?? {}) as Record<string, unknown>;
  if (typeof model !== 'string' || typeof prompt !== 'string' || typeof completion !== 'string')
    throw unusable('model, prompt and completion must be strings', where);
  if (model === '' || model.length > 300) throw unusable('a model name has 1 to 300 characters', where);
  return { model, prompt, completion };
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
    if (pending > MAX_LINE) stream.destroy(unusable(`a line longer than ${MAX_LINE} characters`, file));
  });
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    failure ??= error;
  } finally {
    stream.destroy();
  }
  if (failure instanceof HublineageError) throw failure;
  if (failure !== null) throw unusable('the file cannot be read', file, failure);
}

function unusable(message: string, where: string, cause?: unknown): HublineageError {
  return new HublineageError('UsageInvalid', `Completions cannot be used: ${message}.`, {
    where,
    hint: 'One JSON object a line: {"model": "owner/name", "prompt": "...", "completion": "..."}.',
    cause,
  });
}
