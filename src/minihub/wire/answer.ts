import type { RepoFile } from '../repos/record.ts';

/** Part of a file to be sent piece by piece. */
export interface FileSlice {
  file: RepoFile;
  offset: number;
  length: number;
}

/** What a route says, before headers common to all answers, faults and the wire. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** string and bytes are sent whole; a slice is streamed */
  body: string | Uint8Array | FileSlice;
  /** may be gzipped when the client says so */
  compressible: boolean;
}

export function isFileSlice(body: Answer['body']): body is FileSlice {
  return typeof body === 'object' && 'file' in body;
}

export function bodyLength(body: Answer['body']): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}

export function answerJson(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
    compressible: true,
  };
}

export function answerText(text: string, status: number, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
    body: text,
    compressible: false,
  };
}

/** A redirect's body is the text express writes; its length is what `Content-Length` of a 302 tells. */
export function answerRedirect(
  status: number,
  location: string,
  headers: Record<string, string> = {},
): Answer {
  const names: Record<number, string> = {
    302: 'Found',
    307: 'Temporary Redirect',
    308: 'Permanent Redirect',
  };
  return answerText(`${names[status] ?? 'Redirect'}. Redirecting to ${location}`, status, {
    location,
    ...headers,
  });
}
