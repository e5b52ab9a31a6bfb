import { createHash } from 'node:crypto';
import type { RepoFile } from '../repos/record.ts';
import type { Answer } from '../wire/answer.ts';
import { answerJson } from '../wire/answer.ts';
import { parseRange } from '../wire/ranges.ts';
import { refusals } from '../wire/refusals.ts';
import type { HubState } from './call.ts';

/**
 * Just enough of the Xet protocol (hub-docs, download protocol v2) for clients that insist on it: every file is cut into
 * blocks of 1,024 equal, uncompressed chunks, where the real storage cuts by content and shares chunks between files.
 */
const CHUNK_BYTES = 65_536;
const CHUNKS_PER_XORB = 1024;
const HEADER_BYTES = 8;
const XORB_SPAN = CHUNK_BYTES * CHUNKS_PER_XORB;
const TOKEN_SECONDS = 900;

/** `GET /api/models/{id}/xet-read-token/{rev}` */
export function answerReadToken(state: HubState): Answer {
  const exp = Math.floor(state.now() / 1000) + TOKEN_SECONDS;
  const accessToken = `xet_${state.signer.signText(`xet ${exp}`)}.${exp}`;
  const casUrl = state.cdnUrl();
  return answerJson({ accessToken, exp, casUrl }, 200, {
    'x-xet-access-token': accessToken,
    'x-xet-token-expiration': String(exp),
    'x-xet-cas-url': casUrl,
  });
}

function isGoodToken(state: HubState, authorization: string | undefined): boolean {
  const match = /^Bearer xet_(.+)\.(\d+)$/.exec(authorization ?? '');
  if (match === null) return false;
  const exp = Number(match[2]);
  return match[1] === state.signer.signText(`xet ${exp}`) && exp * 1000 > state.now();
}

/** `GET /v2/reconstructions/{hash}` on the CDN's origin: which chunks of which signed URLs make up the bytes asked for. */
export function answerReconstruction(
  state: HubState,
  hash: string,
  headers: Record<string, string | undefined>,
): Answer {
  if (!isGoodToken(state, headers.authorization)) return refusals.badToken('api');
  const file = state.publishedByHash.get(hash);
  if (file === undefined) return answerJson({ error: 'not found' }, 404);
  const range = parseRange(headers.range, file.size);
  if (range.kind === 'unsatisfiable') return answerJson({ error: 'range not satisfiable' }, 416);
  const start = range.kind === 'part' ? range.start : 0;
  const end = range.kind === 'part' ? range.end + 1 : file.size;
  const terms = [];
  const xorbs: Record<string, unknown> = {};
  for (let block = Math.floor(start / XORB_SPAN); block * XORB_SPAN < end; block++) {
    const base = block * XORB_SPAN;
    const from = Math.max(start, base);
    const to = Math.min(end, base + XORB_SPAN);
    const chunks = {
      start: Math.floor((from - base) / CHUNK_BYTES),
      end: Math.ceil((to - base) / CHUNK_BYTES),
    };
    const xorbHash = createHash('sha256').update(`${hash} ${block}`).digest('hex');
    const xorb = createXorbFile(file, base);
    const path = `/xorb/default/${xorbHash}`;
    state.published.set(path, xorb);
    const lastByte = Math.min(file.size, base + chunks.end * CHUNK_BYTES);
    terms.push({
      hash: xorbHash,
      unpacked_length: lastByte - (base + chunks.start * CHUNK_BYTES),
      range: chunks,
    });
    xorbs[xorbHash] = [
      {
        url: state.cdnUrl() + state.signer.signPath(path, 'xorb', state.signatureTtlSeconds),
        ranges: [
          {
            chunks,
            bytes: {
              start: chunks.start * (CHUNK_BYTES + HEADER_BYTES),
              end: Math.min(xorb.size, chunks.end * (CHUNK_BYTES + HEADER_BYTES)) - 1,
            },
          },
        ],
      },
    ];
  }
  return answerJson({ offset_into_first_range: start % CHUNK_BYTES, terms, xorbs });
}

/** Chunks with their 8-byte headers: version 0, packed length, scheme 0 (stored), length. */
function createXorbFile(file: RepoFile, base: number): RepoFile {
  const span = Math.min(XORB_SPAN, file.size - base);
  const step = CHUNK_BYTES + HEADER_BYTES;
  return {
    path: file.path,
    size: span + Math.ceil(span / CHUNK_BYTES) * HEADER_BYTES,
    lfs: true,
    identity: file.identity,
    async read(offset, length) {
      const out = Buffer.alloc(length);
      for (let chunk = Math.floor(offset / step); chunk * step < offset + length; chunk++) {
        const size = Math.min(CHUNK_BYTES, span - chunk * CHUNK_BYTES);
        const packed = Buffer.alloc(HEADER_BYTES + size);
        packed.writeUIntLE(size, 1, 3);
        packed.writeUIntLE(size, 5, 3);
        packed.set(await file.read(base + chunk * CHUNK_BYTES, size), HEADER_BYTES);
        const from = Math.max(0, offset - chunk * step);
        packed.copy(out, Math.max(0, chunk * step - offset), from);
      }
      return out;
    },
  };
}
