import picocolors from 'picocolors';
import { runCli } from '../../src/cli/run-cli.ts';

export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

const colors = picocolors.createColors(false);

/** Runs the command line in this process, as in a job without terminal or colours; `runHublineage` starts a process of its own. */
export async function askCli(args: readonly string[]): Promise<Answer> {
  let stdout = '';
  let stderr = '';
  const code = await runCli([...args], {
    out: async (text) => {
      stdout += text;
    },
    err: (text) => {
      stderr += text;
    },
    outColors: colors,
    errColors: colors,
    errIsTerminal: false,
    outIsTerminal: false,
    columns: () => 120,
    ci: true,
  });
  return { code, stdout, stderr };
}
