import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../types/config.ts';
import { HublineageError } from '../types/errors.ts';
import { explainIssues, knownKeys } from './explain-issues.ts';
import { configSchema } from './schema.ts';
import { readToken } from './token.ts';

export const DEFAULT_CONFIG_FILE = 'crawler.config.json';
const MAX_CONFIG_BYTES = 16 * 1024 * 1024;

export interface LoadedConfig {
  config: Config;
  /** dotted key -> where its value came from */
  origins: Record<string, string>;
  /** the file read, or null when there was none */
  file: string | null;
}

type Tree = { [key: string]: unknown };

function isTree(value: unknown): value is Tree {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function merge(base: Tree, over: Tree): Tree {
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isTree(value) && isTree(below) ? merge(below, value) : value;
  }
  return merged;
}

function leaves(value: unknown, prefix = ''): string[] {
  if (!isTree(value)) return [prefix.slice(0, -1)];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${prefix}${key}.`));
}

function readConfigFile(path: string, required: boolean): Tree | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing && !required) return null;
    throw new HublineageError(
      'ConfigInvalid',
      missing ? 'The configuration file does not exist.' : 'The configuration file cannot be read.',
      {
        where: path,
        hint: 'Give another one with --config FILE, or leave the flag out to run with the defaults.',
        cause: error,
      },
    );
  }
  if (text.length > MAX_CONFIG_BYTES)
    throw new HublineageError('ConfigInvalid', 'The configuration file is larger than 16 MB.', {
      where: path,
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new HublineageError(
      'ConfigInvalid',
      `The configuration file is not valid JSON: ${(error as Error).message}`,
      {
        where: path,
        hint: 'Comments and trailing commas are not JSON; an editor that knows "$schema" marks the place.',
      },
    );
  }
  if (!isTree(parsed))
    throw new HublineageError('ConfigInvalid', 'The configuration must be a JSON object.', { where: path });
  const hub = parsed.hub;
  if ('token' in parsed || (isTree(hub) && 'token' in hub))
    throw new HublineageError(
      'ConfigInvalid',
      'hub.token: a token does not belong into a file that is shared.',
      {
        where: path,
        hint: 'Remove it, revoke it if the file was ever published, and set HF_TOKEN (or log in with the hf command).',
      },
    );
  return parsed;
}

/**
 * Defaults, then the config file, then the environment, then flags; later ones win. Validated as a whole and frozen.
 * @param options.flags partial config tree given by command-line flags; `flagNames` tells which flag set which key
 */
export function loadConfig(options: {
  file?: string | undefined;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  flags?: Tree;
  flagNames?: Record<string, string>;
}): LoadedConfig {
  const env = options.env ?? process.env;
  const path = resolve(options.cwd ?? process.cwd(), options.file ?? DEFAULT_CONFIG_FILE);
  const fromFile = readConfigFile(path, options.file !== undefined);
  const fromEnv: Tree = env.HF_ENDPOINT ? { hub: { endpoint: env.HF_ENDPOINT } } : {};
  const flags = options.flags ?? {};
  const defaults = configSchema.parse({});
  const parsed = configSchema.safeParse(merge(merge(fromFile ?? {}, fromEnv), flags));
  if (!parsed.success) {
    const lines = explainIssues(parsed.error.issues, knownKeys(defaults));
    throw new HublineageError('ConfigInvalid', lines.join('\n'), {
      where: fromFile ? path : 'environment or flags',
      hint: '`hublineage config schema` prints every key with its range; `hublineage config show --origins` tells where values come from.',
    });
  }
  const { $schema: _schema, ...settings } = parsed.data;
  const { token, origin: tokenOrigin } = readToken(env);
  const config: Config = { ...settings, hub: { ...settings.hub, token } };

  const origins: Record<string, string> = {};
  for (const key of leaves(settings)) origins[key] = 'default';
  if (fromFile) for (const key of leaves(fromFile)) if (key in origins) origins[key] = path;
  for (const key of leaves(fromEnv)) origins[key] = 'environment HF_ENDPOINT';
  for (const key of leaves(flags)) if (key in origins) origins[key] = options.flagNames?.[key] ?? 'flag';
  origins['hub.token'] = tokenOrigin;
  return { config: deepFreeze(config), origins, file: fromFile ? path : null };
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
