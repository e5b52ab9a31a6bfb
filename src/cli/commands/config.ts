import { configJsonSchema } from '../../config/index.ts';
import { EXIT } from '../exit-codes.ts';
import { formatTable } from '../format.ts';
import type { CommandDefinition } from '../setup.ts';

export const configShow: CommandDefinition = {
  name: 'config show',
  description: 'Print the configuration in force.',
  options: [{ flags: '--origins', description: 'tell where each value came from' }],
  async work({ io, loaded, options: global }, _args, options) {
    const token = loaded.config.hub.token === null ? null : '(set, not shown)';
    const config = { ...loaded.config, hub: { ...loaded.config.hub, token } };
    if (options.origins !== true) {
      await io.out(`${JSON.stringify(config, null, 2)}\n`);
      return EXIT.done;
    }
    const rows = Object.entries(loaded.origins).map(([key, origin]) => ({
      key,
      value: valueAt(config, key),
      origin,
    }));
    await io.out(
      global.json
        ? `${JSON.stringify(rows, null, 2)}\n`
        : `${formatTable(
            ['key', 'value', 'origin'],
            rows.map(({ key, value, origin }) => [key, JSON.stringify(value), origin]),
          )}\n`,
    );
    return EXIT.done;
  },
};

function valueAt(tree: unknown, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], tree);
}

export const configCheck: CommandDefinition = {
  name: 'config check',
  description: 'Check the configuration; exit 78 when something is wrong with it.',
  async work({ io, loaded, options }) {
    const file = loaded.file ?? null;
    await io.out(
      options.json
        ? `${JSON.stringify({ valid: true, file })}\n`
        : `The configuration is valid (${file ?? 'defaults; no file was found'}).\n`,
    );
    return EXIT.done;
  },
};

export const configSchema: CommandDefinition = {
  name: 'config schema',
  description: 'Print the JSON Schema of the configuration file.',
  async work({ io }) {
    await io.out(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    return EXIT.done;
  },
};
