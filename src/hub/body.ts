import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { HublineageError } from '../types/errors.ts';
import { tryAgain } from './failures.ts';

/** Reads a stream whole, giving up (and destroying it) beyond `maxBytes` with BodyTooLarge. */
export async function readCapped(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown },
  maxBytes: number,
  where: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > maxBytes) {
      body.destroy();
      throw new HublineageError('BodyTooLarge', `the answer is longer than ${maxBytes} bytes`, { where });
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
}

/**
 * The body with its content coding undone. A cap on what comes out is as important as one on what goes in: 1 MB of gzip can hold
 * 1 GB of JSON.
 */
export async function readDecoded(
  body: Readable,
  encoding: string | undefined,
  maxBytes: number,
  where: string,
): Promise<Uint8Array> {
  const coding = (encoding ?? '').trim().toLowerCase();
  if (coding === '' || coding === 'identity') return readCapped(body, maxBytes, where);
  const decoder =
    coding === 'gzip' || coding === 'x-gzip'
      ? createGunzip()
      : coding === 'br'
        ? createBrotliDecompress()
        : null;
  if (decoder === null) {
    body.destroy();
    throw tryAgain('HubBadAnswer', `an answer in the unknown coding ${coding.slice(0, 40)}`, where);
  }
  // Not pipeline(): it would hide which side failed, and only what the wire threw is a network error.
  let wireError: unknown;
  body.on('error', (error) => {
    wireError = error;
    decoder.destroy(error);
  });
  body.pipe(decoder);
  try {
    return await readCapped(decoder, maxBytes, where);
  } catch (error) {
    body.destroy();
    if (wireError !== undefined) throw wireError;
    if (error instanceof HublineageError) throw error;
    throw tryAgain('BodyTruncated', 'a compressed answer that cannot be decoded', where, error);
  }
}

/** The body as JSON. Anything else (an HTML error page with status 200, half a document, nothing) is worth another try. */
export function parseJson(bytes: Uint8Array, contentType: string | undefined, where: string): unknown {
  const text = new TextDecoder('utf-8').decode(bytes);
  const start = text.trimStart().slice(0, 1);
  if (start === '') throw tryAgain('HubBadAnswer', 'an empty answer where JSON was expected', where);
  if (start === '<' || /^text\/html\b/i.test(contentType ?? '')) {
    throw tryAgain('HubBadAnswer', 'an HTML page where JSON was expected', where);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw tryAgain('HubBadAnswer', 'broken JSON', where, error);
  }
}
