import { configJsonSchema, loadConfig } from '../../src/config/index.ts';
import { code, page, table } from './markdown.ts';

interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  format?: string;
  pattern?: string;
  items?: Schema;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
}

export interface ConfigKey {
  /** `hub.endpoint` */
  key: string;
  schema: Schema;
  default: unknown;
}

/** Every key of the configuration that holds a value, in the order of the schema. */
export function listConfigKeys(): ConfigKey[] {
  // a folder without configuration, and no environment: what is in force then are the defaults
  const { config } = loadConfig({ cwd: '/nonexistent', env: {} });
  const walk = (schema: Schema, path: string): ConfigKey[] =>
    schema.properties === undefined
      ? [{ key: path, schema, default: valueAt(config, path) }]
      : Object.entries(schema.properties).flatMap(([name, inner]) =>
          walk(inner, path === '' ? name : `${path}.${name}`),
        );
  return walk(configJsonSchema() as Schema, '').filter(({ key }) => key !== '$schema');
}

const valueAt = (tree: unknown, key: string): unknown =>
  key
    .split('.')
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], tree);

/** docs/reference/config.md, from the schema that validates the file. */
export function renderConfigPage(): string {
  const keys = listConfigKeys();
  const sections = [...new Set(keys.map(({ key }) => key.split('.')[0] ?? ''))];
  return page('Configuration', 'src/config/schema.ts', [
    `${code('crawler.config.json')} in the working directory, or the file given with ${code('--config')}. Every key may be left out. Defaults come first, then the file, then the environment, then flags; later ones win, and ${code('hublineage config show --origins')} tells where each value came from. Unknown keys are errors. Put ${code('"$schema": "./crawler.config.schema.json"')} first and editors complete and check the file; ${code('hublineage config schema')} prints that schema.`,
    'A token never stands in the file; one that does is refused.',
    '## Environment',
    table(
      ['variable', ''],
      [
        ['`HF_ENDPOINT`', 'Origin of the Hub; wins over `hub.endpoint`.'],
        ['`HF_TOKEN`', 'Token for the Hub; needed for gated repos only, and gives higher rate limits.'],
        ['`HF_TOKEN_PATH`, `HF_HOME`', 'Where the `hf` tools keep the token, when `HF_TOKEN` is not set.'],
        ['`NO_COLOR`, `FORCE_COLOR`', 'Colours of the terminal.'],
        ['`CI`', 'Progress as lines instead of a panel.'],
      ],
    ),
    ...sections.flatMap((section) => [
      `## ${section}`,
      ...keys
        .filter(({ key }) => key.split('.')[0] === section)
        .map(
          ({ key, schema, default: value }) =>
            `### ${key}\n\n${schema.description ?? ''}\n\n${describeType(schema)}. Default: ${describeDefault(value)}.`,
        ),
    ]),
  ]);
}

function describeType(schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map(describeType).join(', or ');
  if (schema.enum) return `One of ${schema.enum.map((value) => code(String(value))).join(', ')}`;
  switch (schema.type) {
    case 'array':
      return `List: ${describeType(schema.items ?? {}).replace(/^./, (letter) => letter.toLowerCase())}`;
    case 'integer':
    case 'number':
      return `${schema.type === 'integer' ? 'Whole number' : 'Number'}${describeRange(schema)}`;
    case 'null':
      return '`null`';
    default:
      return schema.format === 'uri'
        ? 'URL'
        : schema.pattern
          ? `Text matching ${code(schema.pattern)}`
          : 'Text';
  }
}

function describeRange({ minimum, exclusiveMinimum, maximum }: Schema): string {
  const low = exclusiveMinimum === undefined ? minimum : exclusiveMinimum;
  if (low === undefined && maximum === undefined) return '';
  const from = exclusiveMinimum === undefined ? `from ${low}` : `above ${low}`;
  return ` ${from}${maximum === undefined ? '' : ` to ${maximum}`}`;
}

function describeDefault(value: unknown): string {
  return code(JSON.stringify(value).replace(/,(?=")/g, ', '));
}
