import { createHash } from 'node:crypto';
import { HublineageError } from '../types/errors.ts';
import type { ByteSource } from '../types/hub.ts';
import type { HubContext } from './api.ts';
import type { HubMeter } from './contract.ts';
import { TryAgain, tryAgain } from './failures.ts';
import { fetchRange } from './fetch-range.ts';
import { describeFile, type FileAddress, type ResolvedFile, resolveFile, toBucket } from './resolve-file.ts';

/** No header and no slice is this long; a length computed from a hostile file may be. */
const MAX_READ_BYTES = 512 * 2 ** 20;

/** Slices of one resolved file. All reads share one signed address, renewed when it ends or is refused. */
export function createRangeSource(
  context: HubContext,
  address: FileAddress,
  first: ResolvedFile & { size: number },
  options: { meter: HubMeter | undefined },
): ByteSource {
  const where = describeFile(address);
  const { size, sha256 } = first;
  let current: Promise<ResolvedFile> = Promise.resolve(first);
  let renewing: Promise<ResolvedFile> | null = null;

  /** One resolve for all readers that find the same address dead. */
  function renew(dead: ResolvedFile, known: ResolvedFile): Promise<ResolvedFile> {
    if (dead !== known) return Promise.resolve(known);
    renewing ??= resolveFile(context, address, { meter: options.meter, sizeKnown: true })
      .then((fresh) => {
        requireSameFile(fresh);
        current = Promise.resolve(fresh);
        return fresh;
      })
      .finally(() => {
        renewing = null;
      });
    return renewing;
  }

  function requireSameFile(fresh: ResolvedFile): void {
    const differs =
      (fresh.size !== null && fresh.size !== size) ||
      (fresh.sha256 !== null && sha256 !== null && fresh.sha256 !== sha256) ||
      (fresh.commit !== null && first.commit !== null && fresh.commit !== first.commit);
    if (differs) {
      throw new HublineageError('RevisionGone', 'the file changed while it was being read', { where });
    }
  }

  async function liveAddress(): Promise<ResolvedFile> {
    const known = await current;
    const ended = known.expiresAtMs !== null && context.now() >= known.expiresAtMs;
    return ended ? renew(known, known) : known;
  }

  async function readOnce(offset: number, length: number): Promise<Uint8Array> {
    const request = { offset, length, size, where, meter: options.meter };
    const target = await liveAddress();
    try {
      return await fetchRange(context, { ...request, url: target.url });
    } catch (error) {
      if (!(error instanceof TryAgain)) throw error;
      if (!WORTH_RESOLVING.has(error.error.code)) throw error;
      const fresh = await renew(target, await current);
      // An address that ended is no failure of the server: the first time goes on at once.
      if (error.error.code !== 'SignatureExpired') throw error;
      return fetchRange(context, { ...request, url: fresh.url });
    }
  }

  return {
    path: address.path,
    size,
    sha256,
    read: async (offset, length) => {
      requireInside(offset, length, size, where);
      if (length === 0) return new Uint8Array(0);
      const bucket = toBucket(context, first.url) === 'cdn' ? 'cdn' : 'resolvers';
      return context.retrying(
        async () => {
          const bytes = await readOnce(offset, length);
          if (length === size && sha256 !== null && !matchesSha256(bytes, sha256)) {
            throw tryAgain('RangeMismatch', 'the bytes do not have the sha256 the Hub states', where);
          }
          return bytes;
        },
        { bucket, where },
      );
    },
  };
}

/** Failures after which the signed address is given up: it may lead to a broken copy, or to a CDN that is down while another one is not. */
const WORTH_RESOLVING = new Set(['SignatureExpired', 'RangeIgnored', 'RangeMismatch', 'CdnUnreachable']);

export function matchesSha256(bytes: Uint8Array, sha256: string): boolean {
  return createHash('sha256').update(bytes).digest('hex') === sha256;
}

function requireInside(offset: number, length: number, size: number, where: string): void {
  const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!valid || offset + length > size) {
    throw new HublineageError('OffsetInvalid', `bytes ${offset}+${length} of a file of ${size}`, { where });
  }
  if (length > MAX_READ_BYTES) {
    throw new HublineageError('BodyTooLarge', `a read of ${length} bytes at once`, { where });
  }
}
