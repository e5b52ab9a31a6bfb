import { posix } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../store/index.ts';
import { makePath } from '../store/testing/sample-index.ts';
import { exportSite, toFile } from './export-site.ts';
import { modelPath } from './links.ts';
import { fillSampleExplorer, HOSTILE_REPO, ROOT, SAMPLE_OPTIONS, WRONG } from './testing/sample-explorer.ts';

let store: Store;
beforeAll(async () => {
  const path = makePath();
  await fillSampleExplorer(path);
  store = await openStore(path, { readonly: true });
});
afterAll(() => store.close());

async function write(change: { maxModels?: number; maxPages?: number } = {}) {
  const files = new Map<string, string>();
  const summary = await exportSite({ store, ...SAMPLE_OPTIONS, ...change }, async (path, content) => {
    expect(files.has(path)).toBe(false);
    files.set(path, String(content));
  });
  return { files, summary };
}

describe('a static copy', () => {
  it('has a page and its JSON for every model, edge and family, and nothing that needs a server', async () => {
    const { files, summary } = await write();
    for (const page of [
      'index',
      'flagged',
      `models/${WRONG}`,
      `edges/${WRONG}/from/${ROOT}`,
      `families/${ROOT}`,
      `maps/${ROOT}`,
    ]) {
      expect(files.get(`${page}.html`)).toContain('<!doctype html>');
      expect(JSON.parse(files.get(`${page}.json`)!)).toBeTypeOf('object');
    }
    expect(files.has(toFile(modelPath(HOSTILE_REPO), 'html'))).toBe(true);
    expect(files.size).toBe(summary.files);
    expect(summary).toMatchObject({ models: 67, modelsLeftOut: 0, isCut: false });
    for (const [path, text] of files) {
      if (!path.endsWith('.html')) continue;
      expect(text).not.toContain('<form');
      expect(text).not.toMatch(/ (?:href|src)="\//);
    }
  });

  it('has no link that leads nowhere, also when it is cut short', async () => {
    for (const bound of [{}, { maxModels: 3, maxPages: 20 }]) {
      const { files, summary } = await write(bound);
      expect(summary.isCut).toBe('maxPages' in bound);
      for (const [path, text] of files) {
        if (!path.endsWith('.html')) continue;
        for (const [, link] of text.matchAll(/ (?:href|src)="([^"]+)"/g)) {
          if (link!.startsWith('https://') || link!.startsWith('#')) continue;
          expect([...files.keys()]).toContain(posix.join(posix.dirname(path), link!.replace(/#.*$/, '')));
        }
      }
    }
  });

  it('never names a file outside its folder, whatever a repo is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const segments = toFile(modelPath(name.toWellFormed()), 'html').split('/');
        for (const segment of segments) expect(segment).toMatch(/^(?!\.)[A-Za-z0-9_.-]+$/);
      }),
    );
    expect(toFile(modelPath('../../etc/passwd'), 'html')).toBe('models/_2e_./_2e_./etc/passwd.html');
    expect(toFile('/flagged?verdict=contradicted', 'json')).toBe('flagged--verdict_3d_contradicted.json');
  });
});
