/** The program of an inference thread over a planted index. */
import { parentPort, workerData } from 'node:worker_threads';
import type { BlockWorkerOptions } from '../../src/refresh/block-workers.ts';
import { serveBlocks } from '../../src/refresh/serve-blocks.ts';
import { fromSamplesBlob } from './planted-index.ts';

if (parentPort)
  serveBlocks(parentPort, workerData as BlockWorkerOptions, { decode: fromSamplesBlob, roundTrip: {} });
