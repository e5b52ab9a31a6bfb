import { type ErrorCode, HublineageError } from '../types/errors.ts';
import { quoteServer, TryAgain } from './failures.ts';
import { fromRetryAfter } from './rate-headers.ts';
import type { Answer } from './wire.ts';

/** What was asked for decides what a 401 or 404 means. */
export type Subject = 'list' | 'repo' | 'file';

const MAX_ERROR_BYTES = 65_536;
const DISABLED = 'Access to this resource is disabled';

/** Raises what an answer that is neither success nor redirect means: the Hub's error matrix. Never returns. */
export async function failForStatus(answer: Answer, subject: Subject, where: string): Promise<never> {
  const { status, headers } = answer;
  const text = await readErrorText(answer);
  const fail = (code: ErrorCode, message: string, hint?: string) =>
    new HublineageError(code, message, { where, hint });
  const again = (code: ErrorCode, message: string) =>
    new TryAgain(fail(code, message), fromRetryAfter(headers['retry-after'], answer.receivedAtMs));
  const said = text === '' ? `status ${status}` : `status ${status}: ${text}`;

  if (status === 408) throw again('HubTimeout', said);
  if (status >= 500) throw again('HubOverloaded', said);
  switch (headers['x-error-code']) {
    case 'GatedRepo':
      throw fail('RepoGated', text || 'access is restricted', 'a token with access (HF_TOKEN) can read it');
    case 'RepoNotFound':
      throw fail('RepoGone', 'deleted, renamed or private');
    case 'RevisionNotFound':
      throw fail('RevisionGone', text || 'no such revision');
    case 'EntryNotFound':
      throw fail('FileMissing', subject === 'file' ? 'no such file' : 'no such folder');
  }
  if (text.startsWith(DISABLED)) throw fail('RepoDisabled', 'the Hub has disabled this repo');
  if (status === 401) {
    // Without a token, what is missing and what is private look alike: 401. On an id that a listing gave, it has vanished.
    if (/invalid credentials/i.test(text) || subject === 'list') {
      throw fail('HubAuth', text || 'the Hub refused the credentials', 'check HF_TOKEN');
    }
    throw fail('RepoGone', 'deleted, renamed or private');
  }
  if (status === 404 && subject !== 'list') {
    throw subject === 'file' ? fail('FileMissing', 'no such file') : fail('RepoGone', 'not found');
  }
  if (status === 410) throw fail('RepoGone', 'deleted');
  if (status === 451) throw fail('RepoDisabled', text || 'withheld for legal reasons');
  // 403 for no stated reason and 405 (a bot wall) have both been seen to go away.
  if (status === 403 || status === 405) throw again('HubBadAnswer', said);
  throw fail('HubBadAnswer', said);
}

/** X-Error-Message, or the `error` of a JSON body, or a short text body; never an HTML page. */
async function readErrorText(answer: Answer): Promise<string> {
  const header = answer.headers['x-error-message'];
  if (header !== undefined) return quoteServer(header);
  let bytes: Uint8Array;
  try {
    bytes = await answer.readDecoded(MAX_ERROR_BYTES);
  } catch {
    // The status says enough; a body that breaks or never ends adds nothing.
    return '';
  }
  const text = new TextDecoder().decode(bytes);
  if (text.trimStart().startsWith('<')) return '';
  try {
    const json: unknown = JSON.parse(text);
    const error = typeof json === 'object' && json !== null && 'error' in json ? json.error : null;
    return typeof error === 'string' ? quoteServer(error) : '';
  } catch {
    return quoteServer(text);
  }
}
