import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * Who may import whom. `types` is open to everybody. The reasons for what differs from a plain pipeline are in
 * docs/decisions/0001-rooms.md.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  types: [],
  config: [],
  hub: [],
  minihub: ['weights'],
  weights: [],
  fingerprint: ['weights'],
  claims: [],
  lineage: [],
  audit: [],
  report: [],
  store: [],
  phylolm: ['lineage'],
  web: ['store', 'report'],
  refresh: ['hub', 'weights', 'fingerprint', 'claims', 'lineage', 'audit', 'report', 'store'],
  cli: ['refresh', 'report', 'web', 'store', 'config', 'minihub', 'phylolm'],
  'index.ts': [
    'refresh',
    'report',
    'store',
    'config',
    'minihub',
    'hub',
    'weights',
    'fingerprint',
    'claims',
    'lineage',
    'audit',
    'web',
    'phylolm',
  ],
};

const src = resolve(import.meta.dirname, '../src');

function sourceFiles(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return sourceFiles(path);
    return path.endsWith('.ts') && !path.endsWith('.test.ts') ? [path] : [];
  });
}

const files = sourceFiles(src);
const room = (path: string) => relative(src, path).split('/')[0] ?? '';
const withoutComments = (text: string) =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
const imports = (path: string) =>
  [...readFileSync(path, 'utf8').matchAll(/(?:from\s+|import\s*\(\s*|import\s+)'([^']+)'/g)].map(
    (m) => m[1] ?? '',
  );

describe('rooms', () => {
  it('import only whom the table allows', () => {
    const broken = files.flatMap((path) =>
      imports(path)
        .filter((target) => target.startsWith('.'))
        .map((target) => room(resolve(dirname(path), target)))
        .filter((to) => to !== room(path) && to !== 'types' && !(MAY_IMPORT[room(path)] ?? []).includes(to))
        .map((to) => `${relative(src, path)} imports ${to}`),
    );
    expect(broken).toEqual([]);
  });

  it('print and exit only in cli', () => {
    const broken = files
      .filter((path) => room(path) !== 'cli')
      .filter((path) =>
        /process\.(exit|stdout|stderr)|console\./.test(withoutComments(readFileSync(path, 'utf8'))),
      )
      .map((path) => relative(src, path));
    expect(broken).toEqual([]);
  });

  it('read the environment only in config', () => {
    const broken = files
      .filter((path) => room(path) !== 'config')
      .filter((path) => /process\.env/.test(withoutComments(readFileSync(path, 'utf8'))))
      .map((path) => relative(src, path));
    expect(broken).toEqual([]);
  });

  it('keep lineage, audit and report pure: no clock, no chance, no I/O', () => {
    const impure =
      /Date\.now|new Date\(\)|Math\.random|performance\.now|'node:(?:fs|http|https|net|child_process|worker_threads|os|process)/;
    const broken = files
      .filter((path) => ['lineage', 'audit', 'report'].includes(room(path)))
      .filter((path) => impure.test(withoutComments(readFileSync(path, 'utf8'))))
      .map((path) => relative(src, path));
    expect(broken).toEqual([]);
  });
});
