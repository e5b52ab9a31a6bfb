import { CommanderError } from 'commander';
import { toHublineageError } from '../types/errors.ts';
import { loadCommandsFor } from './commands/index.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { formatError } from './format-error.ts';
import { listenForInterrupts } from './interrupts.ts';
import type { Io } from './io.ts';
import { createProgram } from './program.ts';
import { loadSetup } from './setup.ts';

/** Runs one command line. @returns the exit code; never throws */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const interrupts = listenForInterrupts(io);
  let exitCode: number = EXIT.done;
  try {
    const commands = await loadCommandsFor(argv);
    const program = createProgram(io, commands, async (definition, command, args) => {
      const setup = loadSetup(io, interrupts.signal, command, definition.flags ?? []);
      exitCode = await definition.work(setup, args, command.opts());
    });
    await program.parseAsync(argv as string[], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const known = toHublineageError(error);
    io.err(formatError(known, io));
    if (known.code === 'Unexpected' && error instanceof Error && process.exitCode === undefined)
      io.err(`${error.stack ?? ''}\n`);
    return exitCodeOf(known.code);
  } finally {
    interrupts.stop();
  }
}
