import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { HublineageError } from '../types/errors.ts';

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
  timeoutMs: number;
  /** tries of one request */
  tries: number;
  signal: AbortSignal;
  /** ms; injected so that tests need not wait */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  onWait?: (ms: number, reason: string) => void;
}

export interface Endpoint {
  /** one completion of a prompt, without the prompt */
  complete(model: string, prompt: string, probe: number): Promise<string>;
}

const MAX_ANSWER_BYTES = 1_000_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

/**
 * A client of an inference endpoint. One 429 or 503 makes every request wait as long as the server asks (Retry-After, else 1, 2, 4, ...
 * 60 s) and costs no try; other failures of the network or of the server (5xx) are tried again.
 * HubAuth for 401 and 403, ModelUnknown for 404, HubBadAnswer, HubTimeout, HubUnreachable, Interrupted.
 */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { kind, key, signal, wait = (ms) => sleep(ms, undefined, { signal }) } = options;
  const base = toBase(options.url);
  /** shared by all requests: until then nobody asks */
  let closedUntil = 0;
  let throttled = 0;

  async function send(model: string, body: unknown): Promise<unknown> {
    const url =
      kind === 'openai'
        ? `${base.replace(/\/v1$/, '')}/v1/completions`
        : `${base.replace(/\/models$/, '')}/models/${model.split('/').map(encodeURIComponent).join('/')}`;
    for (let tried = 1; ; ) {
      const pause = closedUntil - performance.now();
      if (pause > 0) await interruptible(wait(pause, signal));
      const answer = await tryOnce(url, model, body);
      if ('value' in answer) {
        throttled = 0;
        return answer.value;
      }
      if (answer.throttledMs !== null) {
        throttled++;
        // a server that says 429 for ever is down
        if (throttled > 100) throw answer.error;
        const ms = Math.min(
          LONGEST_WAIT_MS,
          answer.throttledMs || FIRST_WAIT_MS * 2 ** Math.min(6, throttled - 1),
        );
        closedUntil = Math.max(closedUntil, performance.now() + ms);
        options.onWait?.(ms, answer.error.message);
        // an injected wait does not move the clock: the gate is opened by hand
        await interruptible(wait(ms, signal));
        closedUntil = 0;
        continue;
      }
      if (tried >= options.tries) throw answer.error;
      await interruptible(wait(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tried - 1)), signal));
      tried++;
    }
  }

  async function tryOnce(
    url: string,
    model: string,
    body: unknown,
  ): Promise<{ value: unknown } | { error: HublineageError; throttledMs: number | null }> {
    if (signal.aborted) throw interrupted();
    const where = `${model} at ${base}`;
    const again = (
      code: 'HubUnreachable' | 'HubTimeout' | 'HubOverloaded' | 'HubBadAnswer',
      message: string,
      cause?: unknown,
    ) => ({
      error: new HublineageError(code, message, { where, cause }),
      throttledMs: null,
    });
    let text: string;
    let status: number;
    let retryAfter: string | undefined;
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
        signal,
      });
      status = answer.statusCode;
      retryAfter = [answer.headers['retry-after']].flat()[0];
      text = await readCapped(answer.body);
    } catch (cause) {
      if (signal.aborted) throw interrupted();
      if (cause instanceof HublineageError) throw cause;
      const code = (cause as { code?: string }).code ?? '';
      return /TIMEOUT/.test(code)
        ? again('HubTimeout', 'The endpoint did not answer in time.', cause)
        : again('HubUnreachable', `The endpoint cannot be reached (${code || 'connection broken'}).`, cause);
    }
    if (status === 429 || status === 503)
      return {
        error: new HublineageError('HubThrottled', `The endpoint asks to wait (status ${status}).`, {
          where,
        }),
        throttledMs: toWaitMs(retryAfter),
      };
    if (status >= 500) return again('HubOverloaded', `The endpoint failed (status ${status}).`);
    if (status === 401 || status === 403)
      throw new HublineageError('HubAuth', `The endpoint refuses this key (status ${status}).`, {
        where,
        hint: 'Give the key of the service with --key-file FILE.',
      });
    if (status === 404)
      throw new HublineageError('ModelUnknown', 'The endpoint does not know this model or path.', {
        where,
        hint: `Asked for ${url}; check --endpoint, --api and --models.`,
      });
    if (status !== 200)
      throw new HublineageError('HubBadAnswer', `The endpoint answered with status ${status}.`, { where });
    try {
      return { value: JSON.parse(text) };
    } catch (cause) {
      return again('HubBadAnswer', 'The endpoint answered with something that is not JSON.', cause);
    }
  }

  return {
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

/** Retry-After in seconds or as a date, ms; 0 when there is none or it makes no sense. */
function toWaitMs(header: string | undefined): number {
  if (header === undefined) return 0;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

async function readCapped(body: AsyncIterable<Uint8Array> & { destroy(): unknown }): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) {
      body.destroy();
      throw new HublineageError('BodyTooLarge', 'The endpoint answered with more than 1 MB.');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const interrupted = () => new HublineageError('Interrupted', 'Stopped while asking the endpoint.');

async function interruptible(waiting: Promise<void>): Promise<void> {
  try {
    await waiting;
  } catch (error) {
    throw (error as Error).name === 'AbortError' ? interrupted() : error;
  }
}
