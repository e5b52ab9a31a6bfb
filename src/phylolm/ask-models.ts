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
  /** answers an earlier run has, counted by model and gene: only what is missing is asked */
  known?: Iterable<Completion>;
  /** told of every new answer as it comes, so that a stopped run can go on */
  onCompletion?: (completion: Completion, done: number, total: number) => void;
}

/** Asks every model every gene so many times. The first failure stops it and is thrown; answers told until then are good. */
export async function askModels(endpoint: Endpoint, options: AskOptions): Promise<Completion[]> {
  const have = new Map<string, number>();
  const keyOf = (model: string, prompt: string) => `${model}\n${prompt}`;
  const completions: Completion[] = [];
  for (const completion of options.known ?? []) {
    const key = keyOf(completion.model, completion.prompt);
    have.set(key, (have.get(key) ?? 0) + 1);
    completions.push(completion);
  }
  const asked = options.models.flatMap((model) =>
    options.genes.flatMap((prompt) => {
      const first = have.get(keyOf(model, prompt)) ?? 0;
      return Array.from({ length: Math.max(0, options.probes - first) }, (_, i) => ({
        model,
        prompt,
        probe: first + i,
      }));
    }),
  );
  const queue = new PQueue({ concurrency: options.concurrency });
  let done = 0;
  let failure: unknown = null;
  for (const { model, prompt, probe } of asked) {
    if (failure !== null) break;
    // the queue never holds more than a few rounds of work, whatever the number of genes
    await queue.onSizeLessThan(options.concurrency * 4);
    void queue.add(async () => {
      if (failure !== null) return;
      try {
        const completion = { model, prompt, completion: await endpoint.complete(model, prompt, probe) };
        completions.push(completion);
        done++;
        options.onCompletion?.(completion, done, asked.length);
      } catch (error) {
        failure ??= error;
      }
    });
  }
  await queue.onIdle();
  if (failure !== null) throw failure;
  return completions;
}
