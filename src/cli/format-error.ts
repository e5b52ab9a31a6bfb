import type { HublineageError } from '../types/errors.ts';
import { toPrintable } from './format.ts';
import type { Io } from './io.ts';

/** What happened, where, what to do next: at most one line each, except a list of configuration mistakes. */
export function formatError(error: HublineageError, io: Pick<Io, 'errColors'>): string {
  const { red, dim } = io.errColors;
  const lines = error.message.split('\n').map(toPrintable);
  return [
    `${red('hublineage:')} ${lines.join('\n            ')}`,
    ...(error.where ? [`${dim('     where:')} ${toPrintable(error.where)}`] : []),
    ...(error.hint ? [`${dim('what to do:')} ${toPrintable(error.hint)}`] : []),
    '',
  ].join('\n');
}
