import type { Answer } from '../wire/answer.ts';
import { answerText } from '../wire/answer.ts';
import { parseRange } from '../wire/ranges.ts';
import type { HubState } from './call.ts';
import { answerReconstruction } from './xet.ts';

const ACCESS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': '*',
  'x-hf-cdn-pop': 'aws-eu-west-3',
};

/** The CDN's origin: signed URLs only, exact ranges, no quota, no compression. */
export async function answerCdn(
  state: HubState,
  pathAndQuery: string,
  headers: Record<string, string | undefined>,
): Promise<Answer> {
  const path = pathAndQuery.split('?', 1)[0] ?? '';
  const reconstruction = /^\/v[12]\/reconstructions\/([0-9a-f]{64})$/.exec(path)?.[1];
  // the one place off the Hub's origin where a token belongs: its own short-lived one
  if (reconstruction !== undefined) return answerReconstruction(state, reconstruction, headers);
  if (headers.authorization !== undefined) {
    state.stats.leakedTokens++;
    if (state.options.strict) return refuse(400, 'InvalidArgument', 'Only one auth mechanism allowed');
  }
  const wrong = state.signer.check(pathAndQuery);
  if (wrong === 'altered') return refuse(403, 'AccessDenied', 'SignatureError: invalid signature');
  if (wrong === 'expired') return refuse(403, 'AccessDenied', 'Request has expired');
  const file = state.published.get(path);
  if (file === undefined) return refuse(404, 'NoSuchKey', 'The specified key does not exist.');
  const { xetHash } = await file.identity();
  const common: Record<string, string> = {
    ...ACCESS,
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    etag: `"${xetHash}"`,
    ...(state.options.cdnCloudfrontHeaders ? { 'x-cache': 'Hit from cloudfront' } : {}),
  };
  const range = parseRange(headers.range, file.size);
  const refusedRange = range.kind === 'several' && state.options.multiRange === 'refuse';
  if (range.kind === 'unsatisfiable' || refusedRange) {
    return answerText('', 416, { ...common, 'content-range': `bytes */${file.size}` });
  }
  if (range.kind === 'part') {
    const length = range.end - range.start + 1;
    return {
      status: 206,
      headers: { ...common, 'content-range': `bytes ${range.start}-${range.end}/${file.size}` },
      body: { file, offset: range.start, length },
      compressible: false,
    };
  }
  return { status: 200, headers: common, body: { file, offset: 0, length: file.size }, compressible: false };
}

function refuse(status: number, code: string, message: string): Answer {
  return {
    status,
    headers: { ...ACCESS, 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
    compressible: false,
  };
}
