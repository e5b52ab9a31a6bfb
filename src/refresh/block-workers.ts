import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type BlockConclusions, type BlockRunner, type BlockTask, createGate } from '../lineage/index.ts';
import { type ErrorCode, HublineageError } from '../types/errors.ts';

/** What a thread is told once: the plain part of the options of `inferLineage`. */
export interface BlockWorkerOptions {
  method: string;
  seed: number;
  minProbability: number;
}

export type ToWorker =
  | { type: 'conclude'; task: BlockTask }
  | { type: 'samples'; blobs: ReadonlyMap<string, Uint8Array> };

export type FromWorker =
  | { type: 'load'; repos: readonly string[] }
  | { type: 'concluded'; conclusions: BlockConclusions }
  | { type: 'failed'; error: { code: ErrorCode; message: string; where?: string; hint?: string } };

export interface BlockWorkers extends BlockRunner {
  /** ends all threads; what they were at is lost */
  close(): Promise<void>;
}

/** Compiled beside this file when this file is compiled, TypeScript when it is not. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './infer-worker.ts' : './infer-worker.js',
  import.meta.url,
);
/** Each thread holds the samples of the family it is at; more than this many would need more memory than time is won. */
const MAX_THREADS = 4;
/** Twice what threads get by themselves: what is made for one family then mostly dies before it is copied. */
const maxYoungGenerationSizeMb = 96;

/**
 * Concludes blocks in worker threads, which start when the first block comes. Threads have no database: they ask for the blobs of the
 * samples they need and decode them themselves, which is most of the work of loading.
 * @param threads defaults to what the machine has, at most 4
 * @param entry the thread's program; one that serves other blobs in benches
 */
export function createBlockWorkers(
  loadBlobs: (repos: readonly string[]) => Promise<ReadonlyMap<string, Uint8Array>>,
  options: BlockWorkerOptions,
  {
    threads = Math.min(MAX_THREADS, availableParallelism()),
    entry = ENTRY,
  }: { threads?: number; entry?: URL } = {},
): BlockWorkers {
  const gate = createGate(threads);
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  const start = (): Worker => {
    const worker = new Worker(entry, { workerData: options, resourceLimits: { maxYoungGenerationSizeMb } });
    all.add(worker);
    return worker;
  };
  return {
    // one more each, so that no thread waits while the answer before is remembered
    atOnce: 2 * threads,
    run: (task) =>
      gate(async () => {
        const worker = idle.pop() ?? start();
        try {
          const conclusions = await conclude(worker, task, loadBlobs);
          idle.push(worker);
          return conclusions;
        } catch (error) {
          all.delete(worker);
          await worker.terminate();
          throw error;
        }
      }),
    async close() {
      await Promise.all([...all].map((worker) => worker.terminate()));
      all.clear();
      idle.length = 0;
    },
  };
}

function conclude(
  worker: Worker,
  task: BlockTask,
  loadBlobs: (repos: readonly string[]) => Promise<ReadonlyMap<string, Uint8Array>>,
): Promise<BlockConclusions> {
  return new Promise((resolve, reject) => {
    const stop = () => worker.off('message', hear).off('error', fail).off('exit', exited);
    const fail = (error: unknown) => {
      stop();
      reject(error);
    };
    const exited = (code: number) =>
      fail(new HublineageError('Unexpected', `A thread of the inference ended by itself (exit ${code}).`));
    const hear = (message: FromWorker) => {
      if (message.type === 'load')
        loadBlobs(message.repos).then(
          (blobs) => send({ type: 'samples', blobs: toSendableBlobs(blobs) }),
          fail,
        );
      else if (message.type === 'failed') {
        const { code, message: text, ...details } = message.error;
        fail(new HublineageError(code, text, details));
      } else {
        stop();
        resolve(message.conclusions);
      }
    };
    const send = (message: ToWorker) => worker.postMessage(message);
    worker.on('message', hear).on('error', fail).on('exit', exited);
    send({ type: 'conclude', task: { ...task, models: toSendable(task.models) } });
  });
}

/** Only what inference sees. */
function toSendable(models: BlockTask['models']): BlockTask['models'] {
  const memory = createShared(models.map((m) => m.fingerprint.core));
  return models.map(({ repo, owner, createdAt, fingerprint }) => {
    const core = new Float32Array(memory.buffer, memory.add(fingerprint.core), fingerprint.core.length);
    return { repo, owner, createdAt, fingerprint: { ...fingerprint, core } };
  });
}

function toSendableBlobs(blobs: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  const memory = createShared([...blobs.values()]);
  return new Map(
    [...blobs].map(([repo, blob]) => [repo, new Uint8Array(memory.buffer, memory.add(blob), blob.length)]),
  );
}

const ALIGNED = 8;

/**
 * Memory that both threads see, for copies of these: a message would be written, grown and read again, and of a view it holds all that
 * lies behind it. `add` gives the place of a copy.
 */
function createShared(arrays: readonly ArrayBufferView[]) {
  const sizeOf = ({ byteLength }: ArrayBufferView) => Math.ceil(byteLength / ALIGNED) * ALIGNED;
  const buffer = new SharedArrayBuffer(arrays.reduce((sum, array) => sum + sizeOf(array), 0));
  const bytes = new Uint8Array(buffer);
  let end = 0;
  return {
    buffer,
    add(array: ArrayBufferView): number {
      const at = end;
      bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
      end += sizeOf(array);
      return at;
    },
  };
}
