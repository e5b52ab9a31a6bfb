import { mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMinihub } from '../../minihub/index.ts';
import { STAGES } from '../../refresh/index.ts';
import type { CommandDefinition } from '../setup.ts';
import { runAndTell } from './stages.ts';

const DEMO_HUB = fileURLToPath(new URL('../../../data/demo-hub', import.meta.url));

export const demo: CommandDefinition = {
  name: 'demo',
  description: 'Run the whole job on the bundled demo Hub, served on loopback.',
  options: [
    { flags: '--out <dir>', description: 'where the database and the reports go', default: 'hublineage-out' },
  ],
  async work(setup, _args, options) {
    const directory = resolve(options.out as string);
    mkdirSync(directory, { recursive: true });
    const hub = await startMinihub({ dir: DEMO_HUB });
    try {
      const { config } = setup.loaded;
      const database = setup.options.db ?? join(directory, 'demo.sqlite');
      const loaded = {
        ...setup.loaded,
        config: {
          ...config,
          // the token of the real Hub stays at home
          hub: { ...config.hub, endpoint: hub.url, token: null },
          database: { file: database },
          report: { ...config.report, directory },
        },
      };
      const exitCode = await runAndTell({ ...setup, loaded }, STAGES, 'refresh', options);
      if (!setup.options.json && !setup.options.quiet) {
        const file = relative(process.cwd(), database) || database;
        await setup.io.out(
          [
            '',
            `Look around:  open ${relative(process.cwd(), join(directory, 'report.html'))}`,
            `Ask SQL:      npx hublineage --db ${file} sql "SELECT verdict, count(*) AS models FROM verdicts GROUP BY verdict"`,
            `One model:    npx hublineage --db ${file} show OWNER/NAME   (and: tree OWNER/NAME)`,
            '',
          ].join('\n'),
        );
      }
      return exitCode;
    } finally {
      await hub.close();
    }
  },
};
