import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createRunHub } from '../../refresh/index.ts';
import { openStore } from '../../store/index.ts';
import { toHublineageError } from '../../types/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { formatBytes } from '../format.ts';
import type { CommandDefinition, Setup } from '../setup.ts';

interface Check {
  name: string;
  ok: boolean;
  detail: string;
  hint: string | null;
}

export const doctor: CommandDefinition = {
  name: 'doctor',
  description: 'Check this installation: Node, configuration, database, Hub, token.',
  options: [{ flags: '--offline', description: 'leave the Hub alone' }],
  async work(setup, _args, options) {
    const checks = [checkNode(), checkConfig(setup), checkFolder(setup), await checkDatabase(setup)];
    if (options.offline !== true) checks.push(await checkHub(setup));
    const { io } = setup;
    const { green, red } = io.outColors;
    await io.out(
      setup.options.json
        ? `${JSON.stringify(checks, null, 2)}\n`
        : `${checks.map(({ name, ok, detail, hint }) => `${ok ? green('ok  ') : red('FAIL')} ${name.padEnd(14)} ${detail}${hint ? `\n     ${hint}` : ''}`).join('\n')}\n`,
    );
    return checks.every((check) => check.ok) ? EXIT.done : EXIT.unexpected;
  },
};

function check(name: string, ok: boolean, detail: string, hint: string | null = null): Check {
  return { name, ok, detail, hint: ok ? null : hint };
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return check(
    'node',
    major > 22 || (major === 22 && minor >= 20),
    `Node ${process.versions.node}`,
    'Version 22.20 or newer is needed.',
  );
}

function checkConfig({ loaded }: Setup): Check {
  return check('configuration', true, loaded.file ?? 'defaults (no crawler.config.json here)');
}

function checkFolder({ loaded }: Setup): Check {
  const folder = dirname(resolve(loaded.config.database.file));
  try {
    accessSync(folder, constants.W_OK);
    return check('folder', true, `${folder} is writable`);
  } catch {
    return check(
      'folder',
      false,
      `${folder} is not writable or does not exist`,
      'Create it, or name another database with --db FILE.',
    );
  }
}

async function checkDatabase({ loaded }: Setup): Promise<Check> {
  const { file } = loaded.config.database;
  if (!existsSync(file)) return check('database', true, `${file} will be created by the first refresh`);
  try {
    const store = await openStore(file, { readonly: true });
    try {
      const problems = await store.integrityCheck();
      const models = await store.countRepos();
      return check(
        'database',
        problems.length === 0,
        problems[0] ?? `${models} models, ${formatBytes(statSync(file).size)}`,
        'Restore the latest backup.',
      );
    } finally {
      await store.close();
    }
  } catch (error) {
    return check('database', false, toHublineageError(error).message, 'Is this a hublineage database?');
  }
}

async function checkHub({ loaded, signal }: Setup): Promise<Check> {
  const { config } = loaded;
  const hub = createRunHub(config, { emit: () => {}, signal, now: () => new Date() });
  try {
    for await (const page of hub.listModels({ sort: 'createdAt', direction: 1, limit: 1 })) {
      const token = config.hub.token === null ? 'without a token: the smallest quota' : 'with a token';
      return check(
        'hub',
        page.repos.length > 0,
        `${config.hub.endpoint} answers, ${token}`,
        'The Hub listed no model.',
      );
    }
    return check('hub', false, `${config.hub.endpoint} listed nothing`, 'Is this a Hub?');
  } catch (error) {
    const known = toHublineageError(error);
    return check(
      'hub',
      false,
      `${config.hub.endpoint}: ${known.message}`,
      known.hint ?? 'Check the network, HF_ENDPOINT and proxies.',
    );
  } finally {
    await hub.close();
  }
}
