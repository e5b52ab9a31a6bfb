import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Vitest's global set-up: what tests leave in the folder for temporary files goes when they end, also where they failed. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'hublineage-tests-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
