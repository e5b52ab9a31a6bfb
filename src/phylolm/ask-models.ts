import PQueue from 'p-queue';
import type { Completion } from '../lineage/index.ts';
import type { Endpoint } from './endpoint.ts';

export interface AskOptions {
  models: readonly string[];
  genes: readonly string[];
  /** completions a gene */
  probes: number;
  /** requests under way at once */
  concurrency: number;
  /** answers an earlier run has: only what is missing is asked */
  known?: AnswerCounts;
  /** Told of every new answer as it comes; an answer counts as given when this is done with it, and a failure stops the run. */
  onCompletion: (completion: Completion, done: number, total: number) => void | Promise<void>;
}

/** How many completions of a prompt by a model there are. */
export type AnswerCounts = (model: string, prompt: string) => number;

/**
 * Asks every model every gene so many times. The first failure stops it and is thrown; answers told until then are good.
 * @returns how many completions were asked for
 */
export async function askModels(endpoint: Endpoint, options: AskOptions): Promise<number> {
  const { models, genes, probes, concurrency, known = () => 0, onCompletion } = options;
  const missing = (model: string, prompt: string) => Math.max(0, probes - known(model, prompt));
  let total = 0;
  for (const model of models) for (const prompt of genes) total += missing(model, prompt);
  const queue = new PQueue({ concurrency });
  let done = 0;
  let failure: { error: unknown } | null = null;
  const ask = async (model: string, prompt: string, probe: number) => {
    if (failure !== null) return;
    try {
      const completion = await endpoint.complete(model, prompt, probe);
      await onCompletion({ model, prompt, completion }, ++done, total);
    } catch (error) {
      failure ??= { error };
    }
  };
  for (const model of models)
    for (const prompt of genes)
      for (let probe = probes - missing(model, prompt); probe < probes; probe++) {
        if (failure !== null) break;
        // the queue never holds more than a few rounds of work, whatever the number of genes
        await queue.onSizeLessThan(concurrency * 4);
        void queue.add(() => ask(model, prompt, probe));
      }
  await queue.onIdle();
  if (failure !== null) throw (failure as { error: unknown }).error;
  return total;
}

/** Counts the answers there are to these prompts by these models; others are passed over, so memory goes by what is asked. */
export async function countAnswers(
  completions: AsyncIterable<Completion>,
  models: readonly string[],
  genes: readonly string[],
): Promise<AnswerCounts> {
  const places = new Map(genes.map((gene, i) => [gene, i]));
  const asked = new Set(models);
  const counts = new Map<string, Uint32Array>();
  for await (const { model, prompt } of completions) {
    const place = places.get(prompt);
    if (place === undefined || !asked.has(model)) continue;
    let ofModel = counts.get(model);
    if (ofModel === undefined) {
      ofModel = new Uint32Array(genes.length);
      counts.set(model, ofModel);
    }
    ofModel[place]!++;
  }
  return (model, prompt) => counts.get(model)?.[places.get(prompt) ?? -1] ?? 0;
}
