import { beforeAll, describe, expect, it } from 'vitest';
import { makePath } from '../src/store/testing/sample-index.ts';
import { fillSampleExplorer } from '../src/web/testing/sample-explorer.ts';
import { runHublineage } from './helpers/cli.ts';

let database: string;
beforeAll(async () => {
  database = makePath();
  await fillSampleExplorer(database);
});

/** Runs `serve` until work is done with its URL, then ends it as a service manager would. */
async function serve(args: string[], work: (url: string) => Promise<void>) {
  let worked: Promise<void> = Promise.reject(new Error('serve ended before it told its address'));
  worked.catch(() => {});
  const result = await runHublineage(['--db', database, 'serve', '--port', '0', '--json', ...args], {
    onStart: (child) => {
      let text = '';
      child.stdout?.on('data', (chunk) => {
        text += chunk;
        if (!text.includes('\n')) return;
        const { url } = JSON.parse(text) as { url: string };
        worked = work(url).finally(() => child.kill('SIGTERM'));
        worked.catch(() => {});
      });
    },
  });
  await worked;
  return result;
}

describe('hublineage serve', () => {
  it('serves the index until it is told to stop, with SQL on loopback', async () => {
    const result = await serve([], async (url) => {
      expect((await fetch(`${url}/health`)).status).toBe(200);
      const sql = await fetch(`${url}/sql.json?sql=SELECT%201%20AS%20one`);
      expect(await sql.json()).toMatchObject({ result: { columns: ['one'], rows: [[1]] } });
    });
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ sql: true });
  });

  it('keeps SQL off beyond loopback, and when told so', async () => {
    for (const args of [
      ['--host', '0.0.0.0'],
      ['--sql', 'off'],
    ]) {
      const result = await serve(args, async (url) => {
        expect((await fetch(`${url.replace('0.0.0.0', '127.0.0.1')}/sql`)).status).toBe(404);
      });
      expect(JSON.parse(result.stdout)).toMatchObject({ sql: false });
    }
  });

  it('says so when there is no index', async () => {
    const result = await runHublineage(['--db', '/nonexistent/index.sqlite', 'serve']);
    expect([result.code, result.stdout]).toEqual([66, '']);
    expect(result.stderr).toContain('no index');
  });
});
