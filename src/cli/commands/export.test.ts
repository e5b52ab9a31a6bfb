import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askCli } from '../../../test/helpers/ask-cli.ts';
import { fillSampleIndex } from '../../store/testing/sample-index.ts';

const folder = mkdtempSync(join(tmpdir(), 'export-'));
const database = join(folder, 'index.sqlite');

const ask = (...args: string[]) => askCli(['export', ...args, '--db', database]);

beforeAll(async () => {
  const store = await fillSampleIndex(database);
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('export', () => {
  it('writes a graph to stdout, or to the file named, which is not replaced unasked', async () => {
    const { code, stdout } = await ask('--format', 'dot');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^digraph lineage \{/);
    const file = join(folder, 'new', 'graph.dot');
    expect(await ask('--format', 'dot', '--out', file)).toMatchObject({ code: 0, stdout: `${file}\n` });
    expect(readFileSync(file, 'utf8')).toBe(stdout);
    expect((await ask('--format', 'dot', '--out', file)).code).toBe(64);
    expect((await ask('--format', 'dot', '--out', file, '--overwrite')).code).toBe(0);
  });

  it('refuses what it would have to ignore', async () => {
    const file = join(folder, 'there.txt');
    writeFileSync(file, '');
    for (const args of [
      ['--format', 'sqlite', '--family', 'a/b'],
      ['--format', 'cyclonedx', '--family', 'a/b'],
      ['--format', 'csv', '--out', file],
      ['--format', 'site', '--out', file],
      ['a/b', '--format', 'dot'],
    ]) {
      const { code, stderr } = await ask(...args);
      expect(`${args.join(' ')}: ${code}`).toBe(`${args.join(' ')}: 64`);
      expect(stderr).toContain('what to do');
    }
  });
});
