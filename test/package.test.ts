import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
/** All that belongs into the package, and nothing else. */
const BELONGS = [
  /^dist\/.+\.(?:js|d\.ts)$/,
  /^dist\/web\/assets\/[\w.-]+$/,
  /^migrations\/\d{4}_\w+\.sql$/,
  /^data\/(?:demo-hub|detector|calibration|queries|schemas)\/.+$/,
  /^data\/corrections\.json$/,
  /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|crawler\.config\.json|crawler\.config\.schema\.json)$/,
];
/** Most of it is the demo Hub: real weights do not compress. */
const MAX_PACKED_BYTES = 20_000_000;
const NO_NETWORK = /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH/;

interface Packed {
  filename: string;
  size: number;
  files: { path: string; size: number; mode: number }[];
}

let folder: string;
let packed: Packed;

/** npm as a user calls it, without the settings of the npm that runs the tests. */
function npm(args: readonly string[], cwd: string): Promise<{ stdout: string }> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(?!config_)/i.test(name)),
  );
  return run('npm', args, { cwd, env, maxBuffer: 64 * 1024 * 1024 });
}

beforeAll(async () => {
  // packing would build through `prepack`, which empties dist under the feet of tests that run it
  if (!existsSync(join(root, 'dist/cli/main.js')))
    throw new Error('There is no build: run `npm run build` first.');
  folder = mkdtempSync(join(tmpdir(), 'package-'));
  const { stdout } = await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root);
  [packed] = JSON.parse(stdout) as [Packed];
}, 120_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the npm package', () => {
  it('holds what it needs and nothing else', () => {
    const paths = packed.files.map((file) => file.path);
    expect(paths.filter((path) => !BELONGS.some((allowed) => allowed.test(path)))).toEqual([]);
    expect(paths.filter((path) => /\.test\.|\/testing\//.test(path))).toEqual([]);
    for (const needed of [
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'crawler.config.schema.json',
      'data/demo-hub/repos.json',
      'data/corrections.json',
      'migrations/0001_initial.sql',
      'dist/web/assets/explorer.css',
    ])
      expect(paths).toContain(needed);
  });

  it('holds every file package.json points at, and the command is executable', () => {
    const { main, types, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const paths = packed.files.map((file) => file.path);
    for (const target of [main, types, bin.hublineage]) expect(paths).toContain(target);
    const command = packed.files.find((file) => file.path === bin.hublineage);
    expect((command?.mode ?? 0) & 0o111).not.toBe(0);
  });

  it(`is smaller than ${MAX_PACKED_BYTES / 1e6} MB`, () => {
    expect(packed.size).toBeLessThan(MAX_PACKED_BYTES);
  });

  it('installs into an empty folder and runs the demo there', async (context) => {
    const home = join(folder, 'home');
    mkdirSync(home);
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    const tarball = join(folder, packed.filename);
    try {
      await npm(['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], home);
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string };
      if (NO_NETWORK.test(stderr)) return context.skip('the npm registry cannot be reached');
      throw error;
    }
    const { stdout } = await npm(['exec', '--no', '--', 'hublineage', 'demo', '--out', 'out'], home);
    expect(stdout).toContain('27 models');
    expect(existsSync(join(home, 'out/report.html'))).toBe(true);
    const library = "import('hublineage').then((room) => console.log(typeof room.runStages))";
    const { stdout: kind } = await run(process.execPath, ['--input-type=module', '--eval', library], {
      cwd: home,
    });
    expect(kind.trim()).toBe('function');
  }, 240_000);
});
