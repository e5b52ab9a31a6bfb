/** The program of one inference thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { decodeSamples } from '../fingerprint/index.ts';
import { ROUND_TRIP } from '../weights/index.ts';
import type { BlockWorkerOptions } from './block-workers.ts';
import { serveBlocks } from './serve-blocks.ts';

if (parentPort)
  serveBlocks(parentPort, workerData as BlockWorkerOptions, { decode: decodeSamples, roundTrip: ROUND_TRIP });
