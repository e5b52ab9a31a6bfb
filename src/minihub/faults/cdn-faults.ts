import type { FaultClass } from '../options.ts';
import type { HubState } from '../routes/call.ts';
import type { Answer, FileSlice } from '../wire/answer.ts';
import { isFileSlice } from '../wire/answer.ts';
import type { WireFault } from '../wire/send.ts';
import type { FaultPlan } from './fault-plan.ts';

const STATUS = [
  'http-500',
  'http-502',
  'http-503',
  'http-504',
  'signature-expires',
  'forbidden-parallel',
] as const;
const WIRE = [
  'reset-mid-body',
  'stalled-body',
  'slow-drip',
  'truncated-body',
  'body-too-long',
  'flipped-byte',
] as const;
const RANGE = ['range-ignored', 'range-wrong', 'range-total-wrong', 'range-off-by-one'] as const;

/** Spoils one answer of the CDN's origin, or leaves it alone. */
export async function applyCdnFault(request: {
  state: HubState;
  answer: Answer;
  plan: FaultPlan;
  key: string;
  path: string;
}): Promise<{ answer: Answer; wire: WireFault | null; fault: FaultClass | null }> {
  const { state, answer, plan, key } = request;
  if (plan.calm || answer.status >= 300) return { answer, wire: null, fault: null };
  const repo = repoOf(state, request.path);
  const partial = answer.status === 206 ? RANGE : [];
  const fault = plan.pick([...STATUS, ...partial, ...WIRE], key, repo);
  if (fault === null) return { answer, wire: null, fault };
  if ((WIRE as readonly string[]).includes(fault)) return { answer, wire: fault as WireFault, fault };
  return { answer: isFileSlice(answer.body) ? spoil(answer, answer.body, fault) : answer, wire: null, fault };
}

function repoOf(state: HubState, path: string): string | null {
  const hubId = path.split('/')[2];
  return state.index.byHubId().find((repo) => repo.hubId === hubId)?.id ?? null;
}

function spoil(answer: Answer, slice: FileSlice, fault: FaultClass): Answer {
  const { file, offset, length } = slice;
  const range = (start: number, end: number, total = file.size) => `bytes ${start}-${end}/${total}`;
  const moved = Math.max(0, Math.min(file.size - length, offset + 1));
  switch (fault) {
    case 'signature-expires':
      return refuse(403, 'AccessDenied', 'Request has expired');
    case 'forbidden-parallel':
      return refuse(403, 'AccessDenied', 'Auth failed: invalid range');
    case 'range-ignored': {
      const { 'content-range': _, ...headers } = answer.headers;
      return { ...answer, status: 200, headers, body: { file, offset: 0, length: file.size } };
    }
    case 'range-wrong': {
      // honest about giving other bytes than asked for
      const start = offset === 0 ? Math.min(length, file.size - 1) : 0;
      const size = Math.min(length, file.size - start);
      return {
        ...answer,
        headers: { ...answer.headers, 'content-range': range(start, start + size - 1) },
        body: { file, offset: start, length: size },
      };
    }
    case 'range-total-wrong':
      return {
        ...answer,
        headers: { ...answer.headers, 'content-range': range(offset, offset + length - 1, file.size + 1) },
      };
    case 'range-off-by-one':
      return {
        ...answer,
        headers: { ...answer.headers, 'content-range': range(moved, moved + length - 1) },
        body: { file, offset: moved, length },
      };
    default:
      return refuse(Number(fault.slice(5)), 'InternalError', 'Please try again.');
  }
}

function refuse(status: number, code: string, message: string): Answer {
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
    compressible: false,
  };
}
