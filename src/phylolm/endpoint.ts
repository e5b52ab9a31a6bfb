import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { HublineageError } from '../types/errors.ts';
import { type Clock, createPace, interrupted, sleep } from './pace.ts';
import type { Headers } from './rate-headers.ts';

/** `openai`: POST /v1/completions; `hf`: POST /models/<model> of a Hugging Face inference endpoint. */
export type EndpointKind = 'openai' | 'hf';

export interface EndpointOptions {
  /** origin, with a path where the service has one (`https://host/v1`) */
  url: string;
  kind: EndpointKind;
  /** sent as a bearer token, to this origin only: redirects are not followed */
  key: string | null;
  /** tokens asked for: enough for four characters */
  maxTokens: number;
  temperature: number;
  /** until an answer begins, and again until it has come whole: a server that drips is as silent as one that says nothing */
  timeoutMs: number;
  /** tries of one request */
  tries: number;
  /** requests begun in any minute at most; null: no limit of our own */
  perMinute?: number | null;
  signal: AbortSignal;
  clock?: Clock;
  onWait?: (ms: number, reason: string) => void;
}

export interface Endpoint {
  /** where it is, without path or key: for people */
  readonly origin: string;
  /** one completion of a prompt, without the prompt */
  complete(model: string, prompt: string, probe: number): Promise<string>;
}

const MAX_ANSWER_BYTES = 1_000_000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
/** characters of a refusal that are passed on */
const MAX_EXCERPT = 200;

const SYSTEM_CLOCK: Clock = {
  // the monotonic clock: a wall clock that is set back must not hold requests up
  now: () => performance.timeOrigin + performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
};

/** `throttled`: the server asks to wait. `failed`: worth another try. */
type Tried =
  | { outcome: 'answered'; value: unknown; headers: Headers }
  | { outcome: 'throttled'; reason: string; headers: Headers }
  | { outcome: 'failed'; error: HublineageError };

/**
 * A client of an inference endpoint. A 429 or 503 makes every request wait as long as the server asks and costs no try; so does a window
 * that its headers call spent. Other failures of the network or of the server (5xx) are tried again.
 * HubAuth for 401 and 403, ModelUnknown for 404, HubBadAnswer, HubTimeout, HubUnreachable, HubThrottled, QuotaReached, Interrupted.
 */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { kind, key, signal, clock = SYSTEM_CLOCK } = options;
  const base = toBase(options.url);
  const pace = createPace({ clock, signal, perMinute: options.perMinute ?? null, onWait: options.onWait });

  async function send(model: string, body: unknown): Promise<unknown> {
    const url =
      kind === 'openai'
        ? `${base.replace(/\/v1$/, '')}/v1/completions`
        : `${base.replace(/\/models$/, '')}/models/${model.split('/').map(encodeURIComponent).join('/')}`;
    for (let tried = 1; ; ) {
      await pace.enter();
      const answer = await tryOnce(url, model, body);
      if (answer.outcome === 'answered') {
        pace.answered(answer.headers);
        return answer.value;
      }
      if (answer.outcome === 'throttled') {
        pace.throttle(answer.headers, answer.reason);
        continue;
      }
      if (tried >= options.tries) throw answer.error;
      await sleep(clock, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tried - 1)), signal);
      tried++;
    }
  }

  async function tryOnce(url: string, model: string, body: unknown): Promise<Tried> {
    const where = `${model} at ${base}`;
    const answer = await post(url, body, where);
    if ('outcome' in answer) return answer;
    const { status, headers, text } = answer;
    if (status === 429 || status === 503)
      return { outcome: 'throttled', reason: `The endpoint asks to wait (status ${status}).`, headers };
    if (status >= 500)
      return failed('HubOverloaded', `The endpoint failed (status ${status})${excerpt(text)}.`, where);
    if (status !== 200) throw refusal(status, text, url, where);
    try {
      return { outcome: 'answered', value: JSON.parse(text), headers };
    } catch (cause) {
      return failed(
        'HubBadAnswer',
        `The endpoint answered with something that is not JSON${excerpt(text)}.`,
        where,
        {
          hint: 'A web page means that the address is not that of the API; such addresses often end in /v1.',
          cause,
        },
      );
    }
  }

  /** One request, with all its waiting bounded. */
  async function post(
    url: string,
    body: unknown,
    where: string,
  ): Promise<Tried | { status: number; headers: Headers; text: string }> {
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    // undici's own timeouts start again with every byte
    const timer = setTimeout(onAbort, 2 * options.timeoutMs);
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify(body),
        headersTimeout: options.timeoutMs,
        bodyTimeout: options.timeoutMs,
        signal: stop.signal,
      });
      return {
        status: answer.statusCode,
        headers: answer.headers,
        text: await readCapped(answer.body, where),
      };
    } catch (cause) {
      if (signal.aborted) throw interrupted();
      if (cause instanceof HublineageError) throw cause;
      const code = (cause as { code?: string }).code ?? '';
      return stop.signal.aborted || /TIMEOUT/.test(code)
        ? failed('HubTimeout', 'The endpoint did not answer in time.', where, { cause })
        : failed(
            'HubUnreachable',
            `The endpoint cannot be reached (${code || 'connection broken'}).`,
            where,
            {
              cause,
            },
          );
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  return {
    origin: new URL(base).origin,
    async complete(model, prompt, probe) {
      const { maxTokens, temperature } = options;
      const answer =
        kind === 'openai'
          ? await send(model, { model, prompt, max_tokens: maxTokens, temperature, seed: probe })
          : await send(model, {
              inputs: prompt,
              parameters: {
                max_new_tokens: maxTokens,
                temperature,
                do_sample: true,
                return_full_text: false,
                seed: probe,
              },
              // otherwise a cached answer is repeated for every probe
              options: { use_cache: false },
            });
      const text = kind === 'openai' ? fromOpenAi(answer) : fromHf(answer);
      if (text === null)
        throw new HublineageError('HubBadAnswer', 'The answer holds no completion.', {
          where: `${model} at ${base}`,
          hint:
            kind === 'openai'
              ? 'If this is a Hugging Face endpoint, add --api hf.'
              : 'If it speaks the OpenAI API, leave --api hf out.',
        });
      return text;
    },
  };
}

function failed(
  code: 'HubUnreachable' | 'HubTimeout' | 'HubOverloaded' | 'HubBadAnswer',
  message: string,
  where: string,
  details: { hint?: string; cause?: unknown } = {},
): Tried {
  return { outcome: 'failed', error: new HublineageError(code, message, { where, ...details }) };
}

/** Answers that will not get better by asking again. */
function refusal(status: number, text: string, url: string, where: string): HublineageError {
  if (status === 401 || status === 403)
    return new HublineageError('HubAuth', `The endpoint refuses this key (status ${status}).`, {
      where,
      hint: 'Give the key of the service with --key-file FILE.',
    });
  if (status === 404)
    return new HublineageError('ModelUnknown', 'The endpoint does not know this model or path.', {
      where,
      hint: `Asked for ${url}; check --endpoint, --api and --models.`,
    });
  return new HublineageError('HubBadAnswer', `The endpoint answered with status ${status}${excerpt(text)}.`, {
    where,
  });
}

/** The beginning of what a server said, as ` ("...")`: it may be anything, so nothing in it can steer a terminal. */
function excerpt(text: string): string {
  let said = text;
  try {
    const { error, message, detail } = JSON.parse(text) as Record<string, unknown>;
    const nested = (error as { message?: unknown } | null)?.message;
    said = [nested, error, message, detail].find((part): part is string => typeof part === 'string') ?? text;
  } catch {
    // not JSON: shown as it is
  }
  const plain = said
    .slice(0, 10 * MAX_EXCERPT)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
  if (plain === '') return '';
  return plain.length > MAX_EXCERPT ? ` ("${plain.slice(0, MAX_EXCERPT)}...")` : ` ("${plain}")`;
}

function fromOpenAi(answer: unknown): string | null {
  const text = (answer as { choices?: { text?: unknown }[] } | null)?.choices?.[0]?.text;
  return typeof text === 'string' ? text : null;
}

function fromHf(answer: unknown): string | null {
  const first = Array.isArray(answer) ? answer[0] : answer;
  const text = (first as { generated_text?: unknown } | null)?.generated_text;
  return typeof text === 'string' ? text : null;
}

function toBase(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username !== '')
    throw new HublineageError('UsageInvalid', `"${url}" is no http(s) address.`, {
      where: '--endpoint',
      hint: 'For example https://router.huggingface.co/v1 or http://localhost:8000.',
    });
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`;
}

async function readCapped(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown },
  where: string,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) {
      body.destroy();
      throw new HublineageError('BodyTooLarge', 'The endpoint answered with more than 1 MB.', { where });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
