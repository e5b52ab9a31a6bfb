import { createHash } from 'node:crypto';

/** Headers every answer of the Hub's origin carries (captures of 2026-05 to 2026-09). */
export function toHubHeaders(request: {
  serial: number;
  nowMs: number;
  status: number;
  hasToken: boolean;
  trace: string | undefined;
}): Record<string, string> {
  const seconds = Math.floor(request.nowMs / 1000).toString(16);
  const tail = createHash('sha1').update(String(request.serial)).digest('hex').slice(0, 24);
  const requestId = `Root=1-${seconds}-${tail}`;
  return {
    date: new Date(request.nowMs).toUTCString(),
    'x-powered-by': 'huggingface-moon',
    'x-request-id': request.trace === undefined ? requestId : `${requestId};${request.trace}`,
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'strict-origin-when-cross-origin',
    'access-control-max-age': '86400',
    'access-control-allow-origin': 'https://huggingface.co',
    vary: 'Origin',
    'access-control-expose-headers':
      'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash',
    'x-cache': `${request.status >= 400 ? 'Error' : 'Miss'} from cloudfront`,
    via: '1.1 minihub.cloudfront.net (CloudFront)',
    ...(request.hasToken
      ? {}
      : {
          'x-hf-warning':
            'unauthenticated; Warning: You are sending unauthenticated requests to the HF Hub. Please set a HF_TOKEN to enable higher rate limits and faster downloads.',
        }),
  };
}
