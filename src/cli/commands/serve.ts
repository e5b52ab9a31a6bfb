import { readCorrections } from '../../refresh/index.ts';
import { runQuery } from '../../store/index.ts';
import { isLoopback, startExplorer } from '../../web/index.ts';
import { EXIT } from '../exit-codes.ts';
import { withIndex } from '../open-index.ts';
import { type CommandDefinition, portNumber } from '../setup.ts';

/** Readers share the machine: a query may not take as long, nor give as much, as on the operator's own command line. */
const SQL_LIMITS = { timeoutMs: 5_000, maxRows: 1_000, maxBytes: 4 * 1024 * 1024 };
const MAX_SQL_AT_ONCE = 2;

export const serve: CommandDefinition = {
  name: 'serve',
  description: 'Serve the explorer: search, trees, evidence, flagged models, SQL. Reads only.',
  options: [
    { flags: '--host <address>', description: 'address to listen on', default: '127.0.0.1' },
    {
      flags: '--port <n>',
      description: 'port to listen on; 0 is any free one',
      parse: portNumber,
      default: 7878,
    },
    {
      flags: '--sql <mode>',
      description: 'the SQL page; auto is on for loopback addresses and off beyond',
      choices: ['auto', 'on', 'off'],
      default: 'auto',
    },
    {
      flags: '--allow-host <name>',
      description: 'host name answered to besides loopback names, behind a proxy; repeatable',
      parse: (value, previous) => [...((previous as string[] | undefined) ?? []), value.toLowerCase()],
    },
    { flags: '--dispute-url <url>', description: 'where readers can dispute a verdict' },
  ],
  examples: ['hublineage serve', 'hublineage serve --host 0.0.0.0 --port 80 --sql off'],
  work: ({ io, loaded, signal, options: global }, _args, options) =>
    withIndex(loaded.config.database.file, async (store) => {
      const { config } = loaded;
      const host = options.host as string;
      const isLocal = isLoopback(host);
      const hasSql = options.sql === 'on' || (options.sql === 'auto' && isLocal);
      const allowed = (options.allowHost as string[] | undefined) ?? [];
      const explorer = await startExplorer({
        store,
        host,
        port: options.port as number,
        sql: hasSql ? createReaderSql(store.path) : null,
        hubUrl: config.hub.endpoint,
        disputeUrl: (options.disputeUrl as string | undefined) ?? null,
        method: config.lineage.method,
        contradictionPValue: config.lineage.contradictionPValue,
        corrections: readCorrections(),
        ...(isLocal ? { hosts: ['localhost', '127.0.0.1', '[::1]', host, ...allowed] } : {}),
        onError: (error, url) =>
          io.err(
            `error at ${url}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
          ),
      });
      await io.out(
        global.json
          ? `${JSON.stringify({ url: explorer.url, sql: hasSql })}\n`
          : `Explorer of ${store.path} at ${explorer.url}\n`,
      );
      if (!global.quiet && !global.json) io.err(`SQL page ${hasSql ? 'on' : 'off'}. Ctrl-C ends it.\n`);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await explorer.close();
      return EXIT.done;
    }),
};

/** A few queries at once; the others wait for their turn. */
function createReaderSql(path: string) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (query: string, params: Record<string, string | number | bigint | null>) => {
    if (running >= MAX_SQL_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await runQuery(path, query, { ...SQL_LIMITS, params });
    } finally {
      // whoever waits takes over the place; nobody else can slip in between
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
