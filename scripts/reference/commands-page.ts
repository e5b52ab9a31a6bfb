import type { Command, Option } from 'commander';
import picocolors from 'picocolors';
import { loadCommands } from '../../src/cli/commands/index.ts';
import { createProgram } from '../../src/cli/program.ts';
import type { CommandDefinition } from '../../src/cli/setup.ts';
import { code, page, table } from './markdown.ts';

const colors = picocolors.createColors(false);
const SILENT = {
  out: async () => {},
  err: () => {},
  outColors: colors,
  errColors: colors,
  errIsTerminal: false,
  outIsTerminal: false,
  columns: () => 80,
  ci: true,
};

/** The command line as commander knows it, with nothing behind it. */
export async function readProgram(): Promise<{ program: Command; definitions: CommandDefinition[] }> {
  const definitions = await loadCommands();
  return { program: createProgram(SILENT, definitions, async () => {}), definitions };
}

/** docs/reference/commands.md, from the object that parses the command line and prints its help. */
export async function renderCommandsPage(): Promise<string> {
  const { program, definitions } = await readProgram();
  return page('Commands', 'src/cli/commands', [
    `${code('hublineage COMMAND --help')} prints the same. Data goes to stdout, progress and errors to stderr; with ${code('--json')} every command prints one valid document. [Exit codes](exit-codes.md) are the same for all.`,
    table(
      ['command', ''],
      definitions.map(({ name, description }) => [`[${code(name)}](#${anchor(name)})`, description]),
    ),
    '## Global options',
    'Before or after the name of the command.',
    optionTable(program.options, new Map()),
    ...definitions.flatMap((definition) => describe(definition, findCommand(program, definition.name))),
  ]);
}

function findCommand(program: Command, name: string): Command {
  let at = program;
  for (const word of name.split(' ')) {
    const next = at.commands.find((command) => command.name() === word);
    if (next === undefined) throw new Error(`no command ${name}`);
    at = next;
  }
  return at;
}

function describe(definition: CommandDefinition, command: Command): string[] {
  const keys = new Map((definition.flags ?? []).map(({ flag, key }) => [flag, key]));
  const args = definition.args ? ` ${definition.args}` : '';
  return [
    `## ${definition.name}`,
    definition.description,
    code(`hublineage ${definition.name}${args}${command.options.length > 0 ? ' [options]' : ''}`),
    command.options.length > 0 ? optionTable(command.options, keys) : '',
    definition.examples ? `\`\`\`sh\n${definition.examples.join('\n')}\n\`\`\`` : '',
  ];
}

function optionTable(options: readonly Option[], keys: ReadonlyMap<string, string>): string {
  return table(
    ['option', ''],
    options.map((option) => {
      const key = keys.get(option.long ?? '');
      const facts = [
        option.description,
        option.argChoices ? `one of ${option.argChoices.map(code).join(', ')}` : '',
        option.defaultValue === undefined ? '' : `default ${code(String(option.defaultValue))}`,
        key === undefined ? '' : `sets [${code(key)}](config.md#${anchor(key)})`,
      ];
      return [code(option.flags), facts.filter((fact) => fact !== '').join('; ')];
    }),
  );
}

/** The anchor a Markdown renderer gives a heading. */
export const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replace(/\s/g, '-');
