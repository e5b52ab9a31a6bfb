import { EXIT, EXIT_MEANINGS, exitCodeOf } from '../../src/cli/exit-codes.ts';
import { ERROR_MEANINGS } from '../../src/types/error-meanings.ts';
import { ERROR_CODES, type ErrorCode } from '../../src/types/errors.ts';
import { code, page, table } from './markdown.ts';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

/** docs/reference/exit-codes.md */
export function renderExitCodesPage(): string {
  return page('Exit codes', 'src/cli/exit-codes.ts', [
    'What a scheduler can rely on. Findings never look like a crash, and a crash never like findings.',
    table(
      ['code', 'meaning', 'error codes that end a command with it'],
      Object.entries(EXIT).map(([name, number]) => [
        String(number),
        EXIT_MEANINGS[name as keyof typeof EXIT],
        number === EXIT.unexpected
          ? 'all others'
          : CODES.filter((error) => exitCodeOf(error) === number)
              .map((error) => `[${code(error)}](errors.md#${error.toLowerCase()})`)
              .join(', '),
      ]),
    ),
    'A repo that fails does not end a run: it becomes a row of the view `failures` with its [error code](errors.md), is tried again on later nights, and makes the run end with 3.',
  ]);
}

/** docs/reference/errors.md */
export function renderErrorsPage(): string {
  return page('Error codes', 'src/types/errors.ts', [
    'Every error has a code, says what happened, where, and what to do next. The same codes stand in `failures.error_code`.',
    'What a failure costs: a repo gets so many tries, on later nights, before it is left alone until its commit changes. *Free* ones cost no try, because the Hub asked us to wait or the run was stopped.',
    ...CODES.map((error) => {
      const { attempts, free } = ERROR_CODES[error];
      const cost = free
        ? 'Free'
        : attempts === 0
          ? 'Permanent: not tried again'
          : `${attempts} ${attempts === 1 ? 'try' : 'tries'}`;
      return `## ${error}\n\n${ERROR_MEANINGS[error]}\n\n${cost}. Exit code ${exitCodeOf(error)} where it ends a command.`;
    }),
  ]);
}
