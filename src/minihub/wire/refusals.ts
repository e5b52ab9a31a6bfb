import type { Answer } from './answer.ts';
import { answerJson, answerText } from './answer.ts';

/** Who is being told no: API routes answer JSON, file routes plain text. */
export type Surface = 'api' | 'files';

function refuse(
  surface: Surface,
  status: number,
  message: string,
  code: string | null,
  headers: Record<string, string> = {},
): Answer {
  const all = { ...(code === null ? {} : { 'x-error-code': code }), 'x-error-message': message, ...headers };
  return surface === 'api' ? answerJson({ error: message }, status, all) : answerText(message, status, all);
}

/** The Hub's refusals, word for word; clients match on the codes and on some of the texts. */
export const refusals = {
  /** private, deleted and never existed look the same */
  repoMissing: (surface: Surface, hasToken: boolean) =>
    hasToken
      ? refuse(surface, 404, 'Repository not found', 'RepoNotFound')
      : refuse(surface, 401, 'Invalid username or password.', null, {
          'www-authenticate': 'Bearer realm="Authentication required", charset="UTF-8"',
        }),
  badToken: (surface: Surface) =>
    refuse(surface, 401, 'Invalid credentials in Authorization header', null, {
      'www-authenticate': 'Bearer realm="Authentication required", charset="UTF-8"',
    }),
  gated: (id: string, hasToken: boolean, headers: Record<string, string>) =>
    hasToken
      ? refuse(
          'files',
          403,
          `Access to model ${id} is restricted and you are not in the authorized list. Visit https://huggingface.co/${id} to ask for access.`,
          'GatedRepo',
          headers,
        )
      : refuse(
          'files',
          401,
          `Access to model ${id} is restricted. You must have access to it and be authenticated to access it. Please log in.`,
          'GatedRepo',
          headers,
        ),
  disabled: () => refuse('files', 403, 'Access to this resource is disabled.', null),
  entryMissing: (surface: Surface, headers: Record<string, string> = {}) =>
    refuse(surface, 404, 'Entry not found', 'EntryNotFound', headers),
  revisionMissing: (surface: Surface, revision: string) =>
    refuse(surface, 404, `Invalid rev id: ${revision}`, 'RevisionNotFound'),
  badRequest: (message: string) => answerJson({ error: message }, 400),
  routeMissing: () => answerJson({ error: "Sorry, we can't find the page you are looking for." }, 404),
  methodNotAllowed: () => answerJson({ error: 'Method not allowed' }, 405),
};
