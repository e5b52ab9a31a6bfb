import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const TYPES: Record<string, string> = {
  'explorer.css': 'text/css; charset=utf-8',
  'explorer.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

export interface Assets {
  /** changes when any file does */
  version: string;
  files: ReadonlyMap<string, { type: string; body: Uint8Array }>;
}

/** The few files pages refer to, read once from beside this one. No name from a request ever reaches the disk. */
export function loadAssets(): Assets {
  const files = new Map(
    Object.entries(TYPES).map(([name, type]) => [
      name,
      { type, body: new Uint8Array(readFileSync(new URL(`./assets/${name}`, import.meta.url))) },
    ]),
  );
  const hash = createHash('sha256');
  for (const { body } of files.values()) hash.update(body);
  return { version: hash.digest('base64url').slice(0, 10), files };
}
