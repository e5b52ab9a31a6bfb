import type { Command } from 'commander';
import { type LoadedConfig, loadConfig } from '../config/index.ts';
import type { Io } from './io.ts';
import type { LogLevel, ProgressMode } from './progress/index.ts';

/** Options every command takes, before or after its name. */
export interface GlobalOptions {
  config?: string;
  db?: string;
  json?: boolean;
  quiet?: boolean;
  progress: ProgressMode;
  logLevel: LogLevel;
}

/** What a command works with. */
export interface Setup {
  io: Io;
  options: GlobalOptions;
  loaded: LoadedConfig;
  signal: AbortSignal;
}

/** A flag that sets a key of the configuration. */
export interface ConfigFlag {
  /** name of the option as commander stores it */
  option: string;
  /** as typed, for messages and `config show --origins` */
  flag: string;
  /** dotted key it sets */
  key: string;
}

const GLOBAL_FLAGS: readonly ConfigFlag[] = [{ option: 'db', flag: '--db', key: 'database.file' }];

/** Configuration with this command's flags on top. */
export function loadSetup(
  io: Io,
  signal: AbortSignal,
  command: Command,
  flags: readonly ConfigFlag[] = [],
): Setup {
  const options = command.optsWithGlobals() as GlobalOptions & Record<string, unknown>;
  const tree: Record<string, Record<string, unknown>> = {};
  const flagNames: Record<string, string> = {};
  for (const { option, flag, key } of [...GLOBAL_FLAGS, ...flags]) {
    const value = options[option];
    if (value === undefined) continue;
    const [section = '', name = ''] = key.split('.');
    tree[section] = { ...tree[section], [name]: value };
    flagNames[key] = flag;
  }
  const loaded = loadConfig({ file: options.config, flags: tree, flagNames });
  return { io, options, loaded, signal };
}

/** One option of a command. */
export interface OptionDefinition {
  /** as commander takes it: `--limit <n>` */
  flags: string;
  description: string;
  choices?: readonly string[];
  default?: unknown;
  /** throws an Error whose message says what would be right */
  parse?: (value: string, previous: unknown) => unknown;
}

/** A command as data: help, docs, completion and the parser are made from it. */
export interface CommandDefinition {
  /** `refresh`, `config show` */
  name: string;
  /** `<repo>`, `<child> [parent]` */
  args?: string;
  description: string;
  options?: readonly OptionDefinition[];
  /** options that set configuration keys */
  flags?: readonly ConfigFlag[];
  examples?: readonly string[];
  /** @returns the exit code */
  work(setup: Setup, args: string[], options: Record<string, unknown>): Promise<number>;
}

/** A whole number of at least `low`. */
export function wholeNumber(low = 1, high = Number.MAX_SAFE_INTEGER): (value: string) => number {
  const range = high === Number.MAX_SAFE_INTEGER ? `of at least ${low}` : `from ${low} to ${high}`;
  return (value) => {
    const number = Number(value);
    if (value.trim() === '' || !Number.isSafeInteger(number) || number < low || number > high)
      throw new Error(`must be a whole number ${range}`);
    return number;
  };
}

/** A TCP port; 0 is any free one. */
export const portNumber = wholeNumber(0, 65_535);
