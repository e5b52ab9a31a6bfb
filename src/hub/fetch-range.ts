import { HublineageError } from '../types/errors.ts';
import type { HubContext } from './api.ts';
import type { HubMeter } from './contract.ts';
import { TryAgain, tryAgain } from './failures.ts';
import { followRedirect, MAX_REDIRECTS } from './redirects.ts';
import { toBucket } from './resolve-file.ts';
import { failForStatus } from './status.ts';
import type { Answer } from './wire.ts';

export interface RangeRequest {
  url: URL;
  offset: number;
  /** > 0 */
  length: number;
  /** of the whole file */
  size: number;
  where: string;
  meter: HubMeter | undefined;
}

/** One range, checked in every respect before its bytes are believed. */
export async function fetchRange(context: HubContext, request: RangeRequest): Promise<Uint8Array> {
  let url = request.url;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const bucket = toBucket(context, url);
    const outcome = await context.wire.send(
      {
        url,
        bucket,
        headers: {
          accept: '*/*',
          'accept-encoding': 'identity',
          range: `bytes=${request.offset}-${request.offset + request.length - 1}`,
        },
        where: request.where,
        meter: request.meter,
        expectedBytes: request.length,
      },
      async (answer): Promise<Uint8Array | URL> => {
        if (answer.status >= 300 && answer.status < 400 && answer.status !== 304) {
          return followRedirect(answer.headers.location, url, context.policy, request.where);
        }
        return readRange(answer, request, bucket === 'cdn');
      },
    );
    if (!(outcome instanceof URL)) return outcome;
    url = outcome;
  }
  throw tryAgain('HubBadAnswer', 'redirects that do not end', request.where);
}

/** The size of a file that nobody has told, from the Content-Range of its first byte: CDNs of some mirrors redirect without X-Linked-Size. */
export async function fetchSize(
  context: HubContext,
  request: Pick<RangeRequest, 'url' | 'where' | 'meter'>,
): Promise<number> {
  const { url, where, meter } = request;
  const headers = { accept: '*/*', 'accept-encoding': 'identity', range: 'bytes=0-0' };
  return context.wire.send({ url, bucket: toBucket(context, url), headers, where, meter }, async (answer) => {
    const total = /^bytes (?:0-0|\*)\/(\d{1,15})$/.exec(answer.headers['content-range'] ?? '')?.[1];
    if ((answer.status === 206 || answer.status === 416) && total !== undefined) return Number(total);
    answer.abort();
    throw tryAgain('RangeMismatch', `no size to be had (status ${answer.status})`, where);
  });
}

async function readRange(answer: Answer, request: RangeRequest, onCdn: boolean): Promise<Uint8Array> {
  const { offset, length, size, where } = request;
  const { status, headers } = answer;
  const mismatch = (message: string) => {
    answer.abort();
    return tryAgain('RangeMismatch', message, where);
  };
  if (status === 206) {
    const expected = `bytes ${offset}-${offset + length - 1}/${size}`;
    const got = headers['content-range'] ?? 'no Content-Range';
    if (got !== expected) throw mismatch(`asked for ${expected}, was given ${got.slice(0, 80)}`);
    if ((headers['content-encoding'] ?? 'identity') !== 'identity')
      throw mismatch('a range in a content coding');
    const declared = headers['content-length'];
    if (declared !== undefined && declared !== String(length)) {
      throw mismatch(`asked for ${length} bytes, was promised ${declared.slice(0, 20)}`);
    }
    return readExactly(answer, length, where);
  }
  if (status === 200) {
    // The whole file was asked for, and is what comes: as good as a range. Anything else ends before its body begins.
    const whole = offset === 0 && length === size && headers['content-length'] === String(size);
    if (whole && headers['content-encoding'] === undefined) return readExactly(answer, length, where);
    answer.abort();
    throw tryAgain('RangeIgnored', 'the server ignored the range', where);
  }
  if (status === 416) {
    const total = /^bytes \*\/(\d{1,15})$/.exec(headers['content-range'] ?? '')?.[1];
    if (total !== undefined && Number(total) <= offset) {
      throw new HublineageError('OffsetInvalid', `byte ${offset} is beyond the end (${total} bytes)`, {
        where,
      });
    }
    throw mismatch(`range refused (416, ${headers['content-range']?.slice(0, 80) ?? 'no size told'})`);
  }
  if (onCdn && (status === 400 || status === 401 || status === 403 || status === 404 || status === 410)) {
    throw tryAgain('SignatureExpired', `the signed address was refused (status ${status})`, where);
  }
  return failForStatus(answer, 'file', where);
}

async function readExactly(answer: Answer, length: number, where: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await answer.readBytes(length);
  } catch (error) {
    const tooLong = error instanceof HublineageError && error.code === 'BodyTooLarge';
    throw tooLong
      ? new TryAgain(new HublineageError('RangeMismatch', 'more bytes than asked for', { where }))
      : error;
  }
  if (bytes.byteLength !== length) {
    throw tryAgain('BodyTruncated', `${bytes.byteLength} of ${length} bytes came`, where);
  }
  return bytes;
}
