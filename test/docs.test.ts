import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { anchor, readProgram } from '../scripts/reference/commands-page.ts';
import { listConfigKeys } from '../scripts/reference/config-page.ts';
import { renderReferencePages } from '../scripts/reference/pages.ts';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { EXIT } from '../src/cli/exit-codes.ts';
import { MINIMUM_NODE } from '../src/cli/node-version.ts';
import { configJsonSchema } from '../src/config/index.ts';
import { PROBE_WORDS } from '../src/lineage/probe-words.ts';
import { PROBES } from '../src/lineage/probes/index.ts';
import { VIEW_NAMES } from '../src/store/index.ts';
import { ERROR_CODES } from '../src/types/errors.ts';
import { RELATIONS } from '../src/types/lineage.ts';
import { VERDICTS } from '../src/types/verdict.ts';

const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const headings = (path: string) => [...read(path).matchAll(/^#{2,3} (.+)$/gm)].map((match) => match[1] ?? '');
const missingFrom = (list: readonly string[], wanted: readonly string[]) =>
  wanted.filter((name) => !list.includes(name));

describe('reference pages', () => {
  it('are what their generators write; run `node scripts/write-reference.ts`', async () => {
    for (const [name, text] of Object.entries(await renderReferencePages()))
      expect(read(`docs/reference/${name}`) === text, `docs/reference/${name} is stale`).toBe(true);
  });

  it('have a heading for every name that scripts match on', () => {
    expect(missingFrom(headings('docs/reference/schema.md'), VIEW_NAMES)).toEqual([]);
    expect(missingFrom(headings('docs/reference/verdicts.md'), VERDICTS)).toEqual([]);
    expect(missingFrom(headings('docs/reference/errors.md'), Object.keys(ERROR_CODES))).toEqual([]);
    const keys = listConfigKeys().map(({ key }) => key);
    expect(missingFrom(headings('docs/reference/config.md'), keys)).toEqual([]);
    const commands = COMMANDS.map(({ name }) => name);
    expect(missingFrom(headings('docs/reference/commands.md'), commands)).toEqual([]);
    expect(missingFrom(headings('docs/reference/probes.md'), Object.keys(PROBE_WORDS))).toEqual([]);
  });

  it('name every relation, exit code and flag', async () => {
    const verdicts = read('docs/reference/verdicts.md');
    expect(RELATIONS.filter((relation) => !verdicts.includes(`\`${relation}\``))).toEqual([]);
    const exits = read('docs/reference/exit-codes.md');
    expect(Object.values(EXIT).filter((code) => !exits.includes(`| ${code} |`))).toEqual([]);
    const page = read('docs/reference/commands.md');
    const flags = (command: Command): string[] => [
      ...command.options.map((option) => option.flags),
      ...command.commands.flatMap(flags),
    ];
    const { program } = await readProgram();
    expect(flags(program).filter((flag) => !page.includes(`\`${flag}\``))).toEqual([]);
  });

  it('the schema of the configuration is the one `config schema` prints', () => {
    expect(read('crawler.config.schema.json')).toBe(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  });
});

describe('constants that stand in two places', () => {
  it('commands are listed under the name they have', async () => {
    const names = await Promise.all(COMMANDS.map(async ({ load }) => (await load()).name));
    expect(COMMANDS.map(({ name }) => name)).toEqual(names);
  });

  it('the oldest Node is the one package.json asks for', () => {
    expect(JSON.parse(read('package.json')).engines.node).toBe(`>=${MINIMUM_NODE.join('.')}`);
  });

  it('every probe the engine can name has its question and source', () => {
    expect(
      missingFrom(
        Object.keys(PROBE_WORDS),
        PROBES.map(({ name }) => name),
      ),
    ).toEqual([]);
    // names of terms are literals of the engine itself; methods of the literature answer with one probe of their own name
    const named = engineFiles(join(root, 'src/lineage')).flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/^\s*(?:name: )?'([a-z]+(?:-[a-z]+)+)'[:,]/gm)].map(
        (match) => match[1] ?? '',
      ),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(missingFrom(Object.keys(PROBE_WORDS), named)).toEqual([]);
  });
});

function engineFiles(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    if (statSync(path).isDirectory())
      return ['methods', 'baselines', 'testing'].includes(name) ? [] : engineFiles(path);
    return name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'probe-words.ts' ? [path] : [];
  });
}

describe('links between pages', () => {
  let pages: string[];
  beforeAll(() => {
    const below = (dir: string): string[] =>
      readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
        const path = join(dir, entry.name);
        if (entry.isDirectory()) return below(path);
        return entry.name.endsWith('.md') ? [path] : [];
      });
    pages = [...below('docs'), ...readdirSync(root).filter((name) => name.endsWith('.md'))];
  });

  it('lead to files and headings that are there', () => {
    const broken: string[] = [];
    for (const from of pages) {
      const text = read(from)
        .replace(/```[\s\S]*?```/g, '')
        .replace(/`[^`\n]*`/g, '');
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = '', fragment] = target.split('#');
        const file = path === '' ? join(root, from) : resolve(root, dirname(from), path);
        if (!existsSync(file)) broken.push(`${from} -> ${target}`);
        else if (fragment !== undefined && file.endsWith('.md')) {
          const anchors = [...readFileSync(file, 'utf8').matchAll(/^#{1,6} (.+)$/gm)].map((match) =>
            anchor(match[1] ?? ''),
          );
          if (!anchors.includes(fragment)) broken.push(`${from} -> ${relative(root, file)}#${fragment}`);
        }
      }
    }
    expect(pages.length).toBeGreaterThan(10);
    expect(broken).toEqual([]);
  });
});
