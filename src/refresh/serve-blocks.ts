import type { MessagePort } from 'node:worker_threads';
import { concludeBlock, createSampleCache, DEFAULT_CALIBRATION, type RoundTrip } from '../lineage/index.ts';
import { toHublineageError } from '../types/errors.ts';
import type { SampleLoader, TensorSample } from '../types/fingerprint.ts';
import type { BlockWorkerOptions, FromWorker, ToWorker } from './block-workers.ts';

/** A thread's side of `createBlockWorkers`: concludes one block after the other, as told through the port. */
export function serveBlocks(
  port: MessagePort,
  options: BlockWorkerOptions,
  {
    decode,
    roundTrip,
  }: { decode(blob: Uint8Array): TensorSample[]; roundTrip: Readonly<Record<string, RoundTrip>> },
): void {
  let deliver: ((blobs: ReadonlyMap<string, Uint8Array>) => void) | null = null;
  const send = (message: FromWorker) => port.postMessage(message);
  const load: SampleLoader = (repos) =>
    new Promise((resolve, reject) => {
      deliver = (blobs) => {
        deliver = null;
        try {
          resolve(new Map([...blobs].map(([repo, blob]) => [repo, decode(blob)])));
        } catch (error) {
          reject(error);
        }
      };
      send({ type: 'load', repos });
    });
  port.on('message', (message: ToWorker) => {
    if (message.type === 'samples') deliver?.(message.blobs);
    else
      concludeBlock(message.task, {
        cache: createSampleCache(load),
        options: { ...options, roundTrip },
        calibration: DEFAULT_CALIBRATION,
      }).then(
        (conclusions) => send({ type: 'concluded', conclusions }),
        (thrown: unknown) => {
          const { code, message: text, where, hint } = toHublineageError(thrown);
          send({
            type: 'failed',
            error: { code, message: text, ...(where ? { where } : {}), ...(hint ? { hint } : {}) },
          });
        },
      );
  });
}
