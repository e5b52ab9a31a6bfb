import { createHash } from 'node:crypto';
import type { Clock, QuotaLimits, QuotaTier } from '../options.ts';
import type { Call } from '../routes/call.ts';
import type { Answer } from './answer.ts';
import { answerJson, answerText } from './answer.ts';

export type Bucket = 'api' | 'resolvers' | 'pages';

const UNLIMITED = 1_000_000_000;
/** hub-docs, rate limits, table of September 2025. */
const TIERS: Record<QuotaTier, Omit<QuotaLimits, 'windowSeconds'>> = {
  anonymous: { api: 500, resolvers: 3_000, pages: 100 },
  free: { api: 1_000, resolvers: 5_000, pages: 200 },
  pro: { api: 2_500, resolvers: 12_000, pages: 400 },
  team: { api: 3_000, resolvers: 20_000, pages: 400 },
  enterprise: { api: 6_000, resolvers: 50_000, pages: 600 },
  'enterprise-plus': { api: 10_000, resolvers: 100_000, pages: 1_000 },
  academia: { api: 3_000, resolvers: 20_000, pages: 400 },
  unlimited: { api: UNLIMITED, resolvers: UNLIMITED, pages: UNLIMITED },
};

export function toQuotaLimits(quotas: QuotaLimits | QuotaTier): QuotaLimits {
  return typeof quotas === 'string' ? { ...TIERS[quotas], windowSeconds: 300 } : quotas;
}

export interface QuotaState {
  allowed: boolean;
  remaining: number;
  /** whole seconds until the window ends, at least 1 */
  resetSeconds: number;
  quota: number;
  windowSeconds: number;
}

/** Fixed windows by (who, bucket); each pair has its own offset, so a window does not begin with the first request. */
export function createQuotas(clock: Clock) {
  const windows = new Map<string, { index: number; used: number }>();
  return {
    take(who: string, bucket: Bucket, limits: QuotaLimits): QuotaState {
      const key = `${who} ${bucket}`;
      const windowMs = limits.windowSeconds * 1000;
      const offsetMs = createHash('sha1').update(key).digest().readUInt32LE(0) % windowMs;
      const at = clock.now() + offsetMs;
      const index = Math.floor(at / windowMs);
      let window = windows.get(key);
      if (window === undefined || window.index !== index) {
        window = { index, used: 0 };
        windows.set(key, window);
      }
      const quota = limits[bucket];
      const allowed = window.used < quota;
      if (allowed) window.used++;
      return {
        allowed,
        remaining: Math.max(0, quota - window.used),
        resetSeconds: Math.max(1, Math.ceil(((index + 1) * windowMs - at) / 1000)),
        quota,
        windowSeconds: limits.windowSeconds,
      };
    },
  };
}

export function toQuotaHeaders(bucket: Bucket, state: QuotaState): Record<string, string> {
  return {
    ratelimit: `"${bucket}";r=${state.remaining};t=${state.resetSeconds}`,
    'ratelimit-policy': `"fixed window";"${bucket}";q=${state.quota};w=${state.windowSeconds}`,
  };
}

/** The Hub's 429: no Retry-After, the texts as captured. */
export function answerThrottled(
  call: Call,
  bucket: Bucket,
  quota: number,
  windowSeconds: number,
  address: string | undefined,
): Answer {
  const error = call.hasToken
    ? `We had to rate limit you, you hit the quota of ${quota} ${bucket} requests per ${windowSeconds / 60} minutes period. Upgrade to a PRO user or Team/Enterprise organization account (https://hf.co/pricing) to get higher limits. See https://huggingface.co/docs/hub/rate-limits`
    : `We had to rate limit your IP (${address ?? 'unknown'}). To continue using our service, create a HF account or login to your existing account, and make sure you pass a HF_TOKEN if you're using the API.`;
  return call.method === 'HEAD' ? answerText('', 429) : answerJson({ error }, 429);
}
