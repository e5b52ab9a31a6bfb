import { HublineageError } from '../types/errors.ts';
import type { HubContext } from './api.ts';
import type { HubMeter } from './contract.ts';
import { tryAgain } from './failures.ts';
import { matchesSha256 } from './range-source.ts';
import { followRedirect, MAX_REDIRECTS } from './redirects.ts';
import {
  describeFile,
  type FileAddress,
  type ResolvedFile,
  readLinkedHeaders,
  toBucket,
  toResolveUrl,
} from './resolve-file.ts';
import { failForStatus } from './status.ts';

/**
 * A small file whole: `resolve`, its redirect, and no Range (so that empty files need no special case). BodyTooLarge before
 * a byte is fetched where the size is told, otherwise while reading.
 */
export async function fetchSmall(
  context: HubContext,
  address: FileAddress,
  maxBytes: number,
  options: { meter: HubMeter | undefined },
): Promise<Uint8Array> {
  const where = describeFile(address);
  let url = toResolveUrl(context.endpoint, address);
  const known: ResolvedFile = { url, size: null, sha256: null, commit: null, expiresAtMs: null };
  const requireSmall = (size: number | null) => {
    if (size === null || size <= maxBytes) return;
    throw new HublineageError('BodyTooLarge', `${size} bytes, at most ${maxBytes} are read`, { where });
  };
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const bucket = toBucket(context, url);
    const outcome = await context.wire.send(
      {
        url,
        bucket,
        headers: { accept: '*/*', 'accept-encoding': 'identity' },
        where,
        meter: options.meter,
      },
      async (answer): Promise<Uint8Array | URL> => {
        if (bucket === 'resolvers') readLinkedHeaders(answer, known, address, where);
        if (answer.status >= 300 && answer.status < 400 && answer.status !== 304) {
          requireSmall(known.size);
          return followRedirect(answer.headers.location, url, context.policy, where);
        }
        if (answer.status === 200) {
          const encoded = (answer.headers['content-encoding'] ?? 'identity') !== 'identity';
          const length = Number(answer.headers['content-length'] ?? Number.NaN);
          if (!encoded && length > maxBytes) {
            answer.abort();
            requireSmall(length);
          }
          return answer.readDecoded(maxBytes);
        }
        if (bucket === 'cdn' && (answer.status === 401 || answer.status === 403)) {
          throw tryAgain('SignatureExpired', `the signed address was refused (${answer.status})`, where);
        }
        return failForStatus(answer, 'file', where);
      },
    );
    if (outcome instanceof URL) {
      url = outcome;
      continue;
    }
    if (known.size !== null && outcome.byteLength !== known.size) {
      throw tryAgain('BodyTruncated', `${outcome.byteLength} of ${known.size} bytes came`, where);
    }
    if (known.sha256 !== null && !matchesSha256(outcome, known.sha256)) {
      throw tryAgain('RangeMismatch', 'the bytes do not have the sha256 the Hub states', where);
    }
    return outcome;
  }
  throw tryAgain('HubBadAnswer', 'redirects that do not end', where);
}
