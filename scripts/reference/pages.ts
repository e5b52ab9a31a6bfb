import { renderErrorsPage, renderExitCodesPage } from './codes-pages.ts';
import { renderCommandsPage } from './commands-page.ts';
import { renderConfigPage } from './config-page.ts';
import { renderProbesPage, renderVerdictsPage } from './lineage-pages.ts';

/** Pages of docs/reference that are made from the same constants as help and errors, by file name. */
export async function renderReferencePages(): Promise<Record<string, string>> {
  return {
    'commands.md': await renderCommandsPage(),
    'config.md': renderConfigPage(),
    'errors.md': renderErrorsPage(),
    'exit-codes.md': renderExitCodesPage(),
    'probes.md': renderProbesPage(),
    'verdicts.md': renderVerdictsPage(),
  };
}
