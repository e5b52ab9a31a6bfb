import { describe, expect, it } from 'vitest';
import { toRow } from './testing/fake-hub.ts';
import { withHub } from './testing/with-hub.ts';

describe('changes', () => {
  it('are read newest first, down to the watermark less the overlap', async () => {
    const at = (hour: number) => new Date(Date.UTC(2026, 0, 10, hour)).toISOString();
    const rows = Array.from({ length: 20 }, (_, i) => toRow(i, { lastModified: at(20 - i) }));
    await withHub({ rows }, async ({ client, hub }) => {
      const pages = [];
      for await (const page of client.listChangedSince(at(14), 2 * 3_600_000, { filter: 'llama', limit: 5 }))
        pages.push(page);
      const hours = pages.flatMap((page) =>
        page.repos.map((repo) => new Date(repo.lastModified!).getUTCHours()),
      );
      expect(hours).toEqual([20, 19, 18, 17, 16, 15, 14, 13, 12]);
      expect(pages.map((page) => page.complete)).toEqual([false, true]);
      expect(hub.requests[0]!.url.searchParams.get('sort')).toBe('lastModified');
      expect(hub.requests[0]!.url.searchParams.get('direction')).toBe('-1');
    });
  });

  it('refuse a watermark that is none', async () => {
    await withHub({}, async ({ client }) => {
      const pages = client.listChangedSince('yesterday', 0, { limit: 5 });
      await expect(pages.next()).rejects.toMatchObject({ code: 'UsageInvalid' });
    });
  });
});
