import type { FaultClass } from '../options.ts';
import { addCommit } from '../repos/create-record.ts';
import { toCommitSha } from '../repos/identity.ts';
import { headOf } from '../repos/record.ts';
import type { Call, HubState } from '../routes/call.ts';
import type { Routed } from '../routes/hub-router.ts';
import type { Answer } from '../wire/answer.ts';
import { answerJson, answerRedirect, answerText } from '../wire/answer.ts';
import { refusals } from '../wire/refusals.ts';
import type { WireFault } from '../wire/send.ts';
import type { FaultPlan } from './fault-plan.ts';

const ANY_ANSWER = [
  'http-500',
  'http-502',
  'http-503',
  'http-504',
  'huge-error',
  'throttle-with-retry-after',
  'throttle-without-headers',
  'throttle-html',
] as const;
const JSON_ANSWER = ['html-200', 'empty-200', 'invalid-json', 'cut-json'] as const;
const LIST_ANSWER = [
  'link-loop',
  'link-foreign',
  'link-malformed',
  'short-page',
  'repeated-row',
  'missing-row',
  'empty-page',
] as const;
const REPO_ANSWER = ['repo-deleted', 'repo-gated', 'repo-renamed', 'main-moves'] as const;
const REDIRECT_ANSWER = [
  'redirect-foreign',
  'redirect-loop',
  'redirect-bare-relative',
  'redirect-without-location',
  'redirect-308',
] as const;
const CDN_REDIRECT = ['cdn-dns', 'cdn-tls'] as const;
const BODY_ANSWER = [
  'reset-mid-body',
  'stalled-body',
  'slow-drip',
  'truncated-body',
  'body-too-long',
] as const;
const HUGE_ERROR_BYTES = 10 << 20;

export interface HubFaultResult {
  answer: Answer;
  wire: WireFault | null;
  fault: FaultClass | null;
}

/** Spoils one answer of the Hub's origin, or leaves it alone. At most one fault an answer: each class stays recognisable. */
export async function applyHubFault(request: {
  state: HubState;
  call: Call;
  routed: Routed;
  plan: FaultPlan;
  key: string;
}): Promise<HubFaultResult> {
  const { state, call, routed, plan, key } = request;
  const { answer, name } = routed;
  const repo = routed.repo?.id ?? null;
  const isRedirect = answer.status === 302 || answer.status === 307;
  const isJson = answer.status === 200 && String(answer.headers['content-type']).includes('json');
  const fault = plan.pick(
    [
      ...ANY_ANSWER,
      ...(isJson ? JSON_ANSWER : []),
      ...(name === 'list' && answer.status === 200 ? LIST_ANSWER : []),
      ...(routed.repo !== null && answer.status < 400 ? REPO_ANSWER : []),
      ...(name === 'resolve' && isRedirect ? REDIRECT_ANSWER : []),
      ...(name === 'resolve' && answer.status === 302 ? CDN_REDIRECT : []),
      ...(call.method !== 'HEAD' && !isRedirect && answer.status < 400 ? BODY_ANSWER : []),
    ],
    key,
    repo,
  );
  if (fault === null) return { answer, wire: null, fault };
  if ((BODY_ANSWER as readonly string[]).includes(fault)) return { answer, wire: fault as WireFault, fault };
  return { answer: spoil(state, call, routed, fault), wire: null, fault };
}

function spoil(state: HubState, call: Call, routed: Routed, fault: FaultClass): Answer {
  const { answer, repo } = routed;
  switch (fault) {
    case 'http-500':
      return answerJson(
        { error: 'Internal Error - We are working hard to fix this as soon as possible!' },
        500,
      );
    case 'http-502':
    case 'http-503':
    case 'http-504':
      return htmlPage(Number(fault.slice(5)), 'The request could not be satisfied');
    case 'huge-error':
      return answerText('x'.repeat(HUGE_ERROR_BYTES), 500);
    case 'throttle-with-retry-after':
      return answerJson({ error: 'Too many requests' }, 429, { 'retry-after': '1' });
    case 'throttle-without-headers':
      return answerJson({ error: 'Too many requests' }, 429, { 'x-minihub-no-quota': '1' });
    case 'throttle-html':
      return {
        ...htmlPage(429, 'Too many requests'),
        headers: { 'content-type': 'text/html', 'x-minihub-no-quota': '1' },
      };
    case 'html-200':
      return htmlPage(200, 'Please wait');
    case 'empty-200':
      return { ...answer, body: '' };
    case 'invalid-json':
      return { ...answer, body: '{"error": undefined,}' };
    case 'cut-json': {
      const text = String(answer.body);
      return { ...answer, body: text.slice(0, text.length >> 1) };
    }
    case 'redirect-foreign':
      return withLocation(answer, 'https://files.example.invalid/model.safetensors');
    case 'redirect-loop':
      return withLocation(answer, call.path);
    case 'redirect-bare-relative':
      return withLocation(answer, 'api/resolve-cache/elsewhere');
    case 'redirect-without-location': {
      const { location: _, ...headers } = answer.headers;
      return { ...answer, headers };
    }
    case 'redirect-308':
      return { ...answerRedirect(308, answer.headers.location ?? '/', answer.headers) };
    case 'cdn-dns':
      return withLocation(answer, swapOrigin(answer, 'https://cdn.minihub.invalid'));
    case 'cdn-tls':
      // https spoken to a port that only knows http: the handshake fails
      return withLocation(answer, swapOrigin(answer, state.cdnUrl().replace(/^http:/, 'https:')));
    case 'repo-deleted':
      if (repo !== null) state.index.remove(repo.id);
      return refusals.repoMissing(call.segments[0] === 'api' ? 'api' : 'files', call.hasToken);
    case 'repo-gated':
      if (repo !== null) repo.gated = 'auto';
      return routed.file === null ? answer : refusals.gated(repo?.id ?? '', call.hasToken, {});
    case 'repo-renamed':
      // the answer at hand still stands; every later one comes from the new name
      if (repo !== null) state.index.rename(repo.id, `${repo.id}-renamed`);
      return answer;
    case 'main-moves': {
      if (repo === null) return answer;
      const head = headOf(repo);
      addCommit(repo, head.files, toCommitSha(repo.id, [['main', head.sha]]), 'Move main', repo.lastModified);
      state.index.touch();
      return answer;
    }
    default:
      return spoilList(state, call, answer, fault);
  }
}

function spoilList(state: HubState, call: Call, answer: Answer, fault: FaultClass): Answer {
  const rows = JSON.parse(String(answer.body)) as unknown[];
  const self = `${state.url()}/api/models?${call.query}`;
  const withLink = (link: string | undefined, kept = rows): Answer => ({
    ...answer,
    headers: link === undefined ? answer.headers : { ...answer.headers, link },
    body: JSON.stringify(kept),
  });
  switch (fault) {
    case 'link-loop':
      return withLink(`<${self}>; rel="next"`);
    case 'link-foreign':
      return withLink('<https://hub.example.invalid/api/models?cursor=eyJ9>; rel="next"');
    case 'link-malformed':
      return withLink('<not a url; rel=next');
    case 'short-page': {
      // fewer rows than asked for and a cursor that goes on exactly after them
      const kept = Math.max(1, rows.length >> 1);
      const link = rows.length > 1 ? shortLink(answer, self, rows, kept, call) : undefined;
      return link === undefined ? answer : withLink(link, rows.slice(0, kept));
    }
    case 'repeated-row':
      return rows.length > 0 ? withLink(undefined, [...rows, rows[0]]) : answer;
    case 'missing-row':
      return withLink(undefined, rows.slice(1));
    case 'empty-page':
      if (call.query.has('minihub')) return answer;
      // nothing on it, yet the walk goes on from the same place
      return withLink(`<${self}${self.endsWith('?') ? '' : '&'}minihub=retry>; rel="next"`, []);
    default:
      return answer;
  }
}

/** Only a walk by createdAt can be continued from a row alone: its cursor is the row's `_id`. */
function shortLink(
  answer: Answer,
  self: string,
  rows: unknown[],
  kept: number,
  call: Call,
): string | undefined {
  if (call.query.get('sort') !== 'createdAt') return answer.headers.link;
  const hubId = (rows[kept - 1] as { _id: string })._id;
  const operator = call.query.get('direction') === '1' ? '$gt' : '$lt';
  const cursor = Buffer.from(JSON.stringify({ _id: { [operator]: hubId } })).toString('base64');
  const url = new URL(self);
  url.searchParams.set('cursor', cursor);
  return `<${url}>; rel="next"`;
}

function htmlPage(status: number, text: string): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: `<!DOCTYPE html><html><head><title>${status}</title></head><body><h1>${text}</h1></body></html>`,
    compressible: false,
  };
}

const withLocation = (answer: Answer, location: string): Answer => ({
  ...answer,
  headers: { ...answer.headers, location },
});

const swapOrigin = (answer: Answer, origin: string) =>
  (answer.headers.location ?? '').replace(/^https?:\/\/[^/]+/, origin);
