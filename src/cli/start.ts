import { readTerminalEnvironment } from '../config/index.ts';
import { createIo } from './io.ts';
import { runCli } from './run-cli.ts';

/** The command line of this process, run to its exit code. */
export async function start(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  process.exitCode = await runCli(process.argv.slice(2), createIo(readTerminalEnvironment()));
}
