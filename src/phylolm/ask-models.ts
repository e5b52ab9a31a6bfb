import PQueue from 'p-queue';
import type { Completion } from '../lineage/index.ts';
import { HublineageError } from '../types/errors.ts';
import type { Endpoint } from './endpoint.ts';

/** More than a day of ten requests a second. */
const MAX_ANSWERS_A_MODEL = 1_000_000;

/** A completion with the number of its probe, which is the seed it was asked with; files from elsewhere have none. */
export interface Answer extends Completion {
  probe?: number;
}

export interface AskOptions {
  models: readonly string[];
  genes: readonly string[];
  /** completions a gene */
  probes: number;
  /** requests under way at once */
  concurrency: number;
  /** answers an earlier run has: only what is missing is asked */
  known?: KnownAnswers;
  /** Told of every new answer as it comes; an answer counts as given when this is done with it, and a failure stops the run. */
  onCompletion: (answer: Required<Answer>, done: number, total: number) => void | Promise<void>;
}

/** What has been answered so far. */
export interface KnownAnswers {
  /** probes of a prompt that are still to be put to a model, ascending */
  missing(model: string, prompt: string): number[];
}

/**
 * Asks every model every gene so many times. The first failure stops it and is thrown; answers told until then are good.
 * @returns how many completions were asked for
 */
export async function askModels(endpoint: Endpoint, options: AskOptions): Promise<number> {
  const { models, genes, probes, concurrency, onCompletion } = options;
  checkSize(genes, probes);
  const all = Array.from({ length: probes }, (_, probe) => probe);
  const missing = options.known?.missing ?? (() => all);
  let total = 0;
  for (const model of models) for (const prompt of genes) total += missing(model, prompt).length;
  const queue = new PQueue({ concurrency });
  let done = 0;
  let failure: { error: unknown } | null = null;
  const ask = async (model: string, prompt: string, probe: number) => {
    if (failure !== null) return;
    try {
      const completion = await endpoint.complete(model, prompt, probe);
      await onCompletion({ model, prompt, completion, probe }, ++done, total);
    } catch (error) {
      failure ??= { error };
    }
  };
  for (const model of models)
    for (const prompt of genes)
      for (const probe of missing(model, prompt)) {
        if (failure !== null) break;
        // the queue never holds more than a few rounds of work, whatever the number of genes
        await queue.onSizeLessThan(concurrency * 4);
        void queue.add(() => ask(model, prompt, probe));
      }
  await queue.onIdle();
  if (failure !== null) throw (failure as { error: unknown }).error;
  return total;
}

/**
 * Notes which probes of these prompts these models have answered; other answers are passed over, so memory goes by what is asked: a bit a
 * probe. A stopped run may lack any probe of those it had under way, so that a run gone on with ends with the seeds of one that never
 * stopped. Answers without a number stand for the lowest probes that have none.
 */
export async function findKnown(
  answers: AsyncIterable<Answer>,
  models: readonly string[],
  genes: readonly string[],
  probes: number,
): Promise<KnownAnswers> {
  checkSize(genes, probes);
  const places = new Map(genes.map((gene, i) => [gene, i]));
  const asked = new Set(models);
  const known = new Map<string, { bits: Uint8Array; unnumbered: Uint32Array }>();
  for await (const { model, prompt, probe } of answers) {
    const place = places.get(prompt);
    if (place === undefined || !asked.has(model)) continue;
    let ofModel = known.get(model);
    if (ofModel === undefined) {
      ofModel = {
        bits: new Uint8Array(Math.ceil((genes.length * probes) / 8)),
        unnumbered: new Uint32Array(genes.length),
      };
      known.set(model, ofModel);
    }
    if (probe === undefined) ofModel.unnumbered[place]!++;
    else if (probe < probes) setBit(ofModel.bits, place * probes + probe);
  }
  return {
    missing(model, prompt) {
      const ofModel = known.get(model);
      const place = places.get(prompt) ?? 0;
      const open: number[] = [];
      for (let probe = 0; probe < probes; probe++)
        if (ofModel === undefined || !hasBit(ofModel.bits, place * probes + probe)) open.push(probe);
      return open.slice(ofModel?.unnumbered[place] ?? 0);
    },
  };
}

function checkSize(genes: readonly string[], probes: number): void {
  if (genes.length * probes > MAX_ANSWERS_A_MODEL)
    throw new HublineageError(
      'UsageInvalid',
      `${genes.length} prompts with ${probes} completions each are more than ${MAX_ANSWERS_A_MODEL} requests a model.`,
      { hint: 'The method takes 128 prompts with 32 completions each.' },
    );
}

function setBit(bits: Uint8Array, at: number): void {
  bits[at >> 3]! |= 1 << (at & 7);
}

function hasBit(bits: Uint8Array, at: number): boolean {
  return (bits[at >> 3]! & (1 << (at & 7))) !== 0;
}
