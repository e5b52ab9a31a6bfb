import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Answer } from './answer.ts';
import { bodyLength, isFileSlice } from './answer.ts';

const CHUNK_BYTES = 1 << 20;
/** CloudFront leaves smaller bodies alone. */
const MIN_GZIP_BYTES = 1000;

/** How the bytes travel. */
export interface Shaping {
  bytesPerSecond: number | null;
  wire: WireFault | null;
  stallMs: number;
}

/** Faults of the connection itself, after the headers are out. */
export type WireFault =
  | 'reset-mid-body'
  | 'stalled-body'
  | 'slow-drip'
  | 'truncated-body'
  | 'body-too-long'
  | 'flipped-byte';

/** Writes an answer; gives the bytes of body sent. HEAD gets the same status and headers as GET. */
export async function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  shaping: Shaping,
): Promise<number> {
  let body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  const headers: Record<string, string> = { ...answer.headers };
  const declared = bodyLength(body);
  if (headers.etag === undefined && !isFileSlice(body) && answer.status !== 304) {
    headers.etag = toWeakEtag(body);
  }
  const acceptsGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const wholeAnswer = request.headers.range === undefined && !isFileSlice(body);
  if (answer.compressible && acceptsGzip && wholeAnswer && declared >= MIN_GZIP_BYTES) {
    // CloudFront's gzip variant: chunked, and neither length nor ranges
    headers['content-encoding'] = 'gzip';
    headers.vary = `${headers.vary ?? 'Origin'}, Accept-Encoding`;
    delete headers['accept-ranges'];
    body = gzipSync(body as Uint8Array);
  } else if (answer.status !== 304) headers['content-length'] = String(declared);
  if (shaping.wire === 'body-too-long') {
    // more bytes than declared only fits HTTP/1.1 on a connection that is given up afterwards
    headers.connection = 'close';
    response.strictContentLength = false;
  }
  // a client that hangs up is its own business
  response.on('error', () => {});
  response.writeHead(answer.status, headers);
  if (request.method === 'HEAD' || answer.status === 304) {
    response.end();
    return 0;
  }
  return shaping.wire === null
    ? sendBody(response, body, shaping.bytesPerSecond)
    : sendBroken(response, body, shaping.wire, shaping);
}

async function sendBody(
  response: ServerResponse,
  body: Exclude<Answer['body'], string>,
  bytesPerSecond: number | null,
): Promise<number> {
  if (!isFileSlice(body) && bytesPerSecond === null) {
    response.end(body);
    return body.length;
  }
  // a tenth of a second's worth at a time keeps shaped transfers smooth
  const step =
    bytesPerSecond === null ? CHUNK_BYTES : Math.max(1, Math.min(CHUNK_BYTES, bytesPerSecond / 10)) | 0;
  let sent = 0;
  const total = bodyLength(body);
  while (sent < total && !response.destroyed) {
    const size = Math.min(step, total - sent);
    const chunk = await readPart(body, sent, size);
    if (bytesPerSecond !== null) await sleep((size / bytesPerSecond) * 1000);
    sent += size;
    if (!response.write(chunk)) await drained(response);
  }
  if (!response.destroyed) response.end();
  return sent;
}

function readPart(body: Exclude<Answer['body'], string>, from: number, size: number): Promise<Uint8Array> {
  return isFileSlice(body)
    ? body.file.read(body.offset + from, size)
    : Promise.resolve(body.subarray(from, from + size));
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

async function sendBroken(
  response: ServerResponse,
  body: Exclude<Answer['body'], string>,
  fault: WireFault,
  shaping: Shaping,
): Promise<number> {
  const total = bodyLength(body);
  // broken answers need not be large to be broken
  const half = Math.min(total >> 1, 64 * 1024);
  const start = Buffer.from(await readPart(body, 0, half));
  switch (fault) {
    case 'reset-mid-body':
    case 'truncated-body':
      response.write(start);
      // let the first half leave before the connection goes
      await sleep(5);
      if (fault === 'reset-mid-body') response.socket?.resetAndDestroy();
      else response.socket?.end();
      return half;
    case 'stalled-body':
      response.write(start);
      await sleep(shaping.stallMs, undefined, { ref: false });
      response.destroy();
      return half;
    case 'slow-drip': {
      let sent = 0;
      const until = shaping.stallMs;
      for (let waited = 0; sent < half && waited < until && !response.destroyed; waited += 20) {
        response.write(start.subarray(sent, sent + 16));
        sent += 16;
        await sleep(20, undefined, { ref: false });
      }
      response.destroy();
      return sent;
    }
    case 'body-too-long': {
      const whole = Buffer.from(await readPart(body, 0, Math.min(total, 8 << 20)));
      response.write(whole);
      response.socket?.write(Buffer.alloc(64, 0x41));
      response.end();
      return whole.length + 64;
    }
    case 'flipped-byte': {
      const whole = Buffer.from(await readPart(body, 0, Math.min(total, 8 << 20)));
      const middle = whole.length >> 1;
      if (whole.length > 0) whole[middle] = whole[middle]! ^ 0x40;
      response.end(whole);
      return whole.length;
    }
  }
}

/** express's weak ETag: length in hex and a hash of the body. */
function toWeakEtag(body: Uint8Array): string {
  const hash = createHash('sha1').update(body).digest('base64').slice(0, 27);
  return `W/"${body.length.toString(16)}-${hash}"`;
}
