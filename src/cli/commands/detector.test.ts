import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { runCli } from '../run-cli.ts';

async function run(...argv: string[]) {
  const colors = pc.createColors(false);
  const said = { out: '', err: '' };
  const io: Io = {
    out: async (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    outColors: colors,
    errColors: colors,
    errIsTerminal: false,
    outIsTerminal: false,
    columns: () => 80,
    ci: true,
  };
  return { code: await runCli(argv, io), ...said };
}

describe('detector eval', () => {
  it('prints one valid document, seen families marked', async () => {
    const { code, out } = await run('detector', 'eval', '--json');
    expect(code).toBe(EXIT.done);
    const rows = JSON.parse(out) as { family: string; seen: boolean; detector: { strict: number } }[];
    expect(rows[0]).toMatchObject({ family: 'generated', seen: false });
    expect(rows.some((row) => row.seen)).toBe(true);
    for (const row of rows) expect(row.detector.strict).toBeGreaterThan(0);
  }, 30_000);

  it('names the folder without weights', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'detector-'));
    try {
      const { code, out, err } = await run('detector', 'eval', '--weights', folder);
      expect(code).not.toBe(EXIT.done);
      expect(out).toBe('');
      expect(err).toContain(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses a kind there is not', async () => {
    const { code, err } = await run('detector', 'train', '--kind', 'oracle');
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('phylogeny');
  });
});
