import { Command, InvalidArgumentError, Option } from 'commander';
import { VERSION } from '../types/version.ts';
import type { Io } from './io.ts';
import { LOG_LEVELS, PROGRESS_MODES } from './progress/index.ts';
import type { CommandDefinition } from './setup.ts';

/** The whole command line, as commander knows it; docs and shell completion are made from the same object. */
export function createProgram(
  io: Io,
  commands: readonly CommandDefinition[],
  run: (definition: CommandDefinition, command: Command, args: string[]) => Promise<void>,
): Command {
  const program = new Command('hublineage')
    .description('Who was made from whom on the Hugging Face Hub, and what their cards declare.')
    .version(VERSION)
    .configureOutput({
      writeOut: (text) => void io.out(text),
      writeErr: (text) => io.err(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'hublineage: ')),
    })
    .exitOverride()
    .showHelpAfterError('(run with --help for what there is)');
  addGlobalOptions(program);

  for (const definition of commands) {
    const words = definition.name.split(' ');
    const parent = words.length === 1 ? program : groupOf(program, words[0] ?? '');
    const command = parent
      .command(`${words.at(-1)}${definition.args ? ` ${definition.args}` : ''}`)
      .description(definition.description);
    command
      .exitOverride()
      .configureOutput(program.configureOutput())
      .showHelpAfterError('(run with --help for what there is)');
    for (const option of definition.options ?? []) command.addOption(toOption(option));
    if (definition.examples)
      command.addHelpText(
        'after',
        `\nExamples:\n${definition.examples.map((line) => `  $ ${line}`).join('\n')}`,
      );
    command.action(async (...given: unknown[]) => {
      const positional = given
        .slice(0, -2)
        .flat()
        .filter((value): value is string => typeof value === 'string');
      await run(definition, command, positional);
    });
  }
  return program;
}

function groupOf(program: Command, name: string): Command {
  const existing = program.commands.find((command) => command.name() === name);
  if (existing) return existing;
  const descriptions: Record<string, string> = {
    config: 'Show, check or describe the configuration.',
    detector: 'Train or evaluate the learned detector.',
  };
  return program
    .command(name)
    .description(descriptions[name] ?? '')
    .exitOverride()
    .configureOutput(program.configureOutput())
    .showHelpAfterError('(run with --help for what there is)');
}

function addGlobalOptions(program: Command): void {
  program
    .option('--config <file>', 'configuration file (default: crawler.config.json where there is one)')
    .option('--db <file>', 'database file')
    .option('--json', 'print JSON')
    .option('--quiet', 'say nothing but data and errors')
    .addOption(
      new Option('--progress <mode>', 'how progress is shown').choices(PROGRESS_MODES).default('auto'),
    )
    .addOption(
      new Option('--log-level <level>', 'what is worth telling').choices(LOG_LEVELS).default('info'),
    );
}

function toOption(definition: NonNullable<CommandDefinition['options']>[number]): Option {
  const option = new Option(definition.flags, definition.description);
  if (definition.choices) option.choices(definition.choices);
  if (definition.default !== undefined) option.default(definition.default);
  const { parse } = definition;
  if (parse)
    option.argParser((value: string, previous: unknown) => {
      try {
        return parse(value, previous);
      } catch (error) {
        throw new InvalidArgumentError((error as Error).message);
      }
    });
  return option;
}
