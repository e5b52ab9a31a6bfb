import { existsSync } from 'node:fs';
import { startMinihub } from '../../minihub/index.ts';
import { HublineageError } from '../../types/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { type CommandDefinition, portNumber, wholeNumber } from '../setup.ts';

const TIERS = [
  'anonymous',
  'free',
  'pro',
  'team',
  'enterprise',
  'enterprise-plus',
  'academia',
  'unlimited',
] as const;

export const minihub: CommandDefinition = {
  name: 'minihub',
  args: '<dir>',
  description: 'Serve a folder of repos as a Hub: for trying out, air-gapped mirrors and tests.',
  options: [
    {
      flags: '--port <n>',
      description: 'port of the Hub (default: any free one)',
      parse: portNumber,
      default: 0,
    },
    {
      flags: '--cdn-port <n>',
      description: 'port of the file server (default: any free one)',
      parse: portNumber,
      default: 0,
    },
    { flags: '--host <address>', description: 'address to listen on', default: '127.0.0.1' },
    { flags: '--quota <tier>', description: 'rate limits to enforce', choices: TIERS, default: 'unlimited' },
    { flags: '--latency-ms <n>', description: 'delay of every answer', parse: wholeNumber(0), default: 0 },
    { flags: '--log-requests', description: 'tell each request on stderr' },
  ],
  examples: [
    'hublineage minihub ./models --port 8080',
    'HF_ENDPOINT=http://127.0.0.1:8080 hublineage refresh',
  ],
  async work({ io, signal, options: global }, args, options) {
    const [dir = ''] = args;
    if (!existsSync(dir))
      throw new HublineageError('UsageInvalid', 'There is no such folder.', {
        where: dir,
        hint: 'Give a folder of owner/name folders, with or without a repos.json.',
      });
    const hub = await startMinihub({
      dir,
      port: options.port as number,
      cdnPort: options.cdnPort as number,
      host: options.host as string,
      quotas: options.quota as (typeof TIERS)[number],
      latencyMs: options.latencyMs as number,
      ...(options.logRequests === true
        ? {
            log: (entry) =>
              io.err(`${entry.status} ${entry.method} ${entry.url} ${entry.range ?? ''} ${entry.bytes} B\n`),
          }
        : {}),
    });
    await io.out(
      global.json
        ? `${JSON.stringify({ url: hub.url, cdnUrl: hub.cdnUrl, repos: hub.repos().length })}\n`
        : `Serving ${hub.repos().length} repos of ${dir} at ${hub.url}\n`,
    );
    if (!global.quiet && !global.json)
      io.err(`In another shell: HF_ENDPOINT=${hub.url} hublineage refresh. Ctrl-C ends it.\n`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await hub.close();
    return EXIT.done;
  },
};
