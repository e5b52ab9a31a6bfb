import { existsSync, readFileSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, runQuery, type Store } from '../src/store/index.ts';
import { makePath } from '../src/store/testing/sample-index.ts';
import { type RunningExplorer, startExplorer } from '../src/web/index.ts';
import {
  fillSampleExplorer,
  HOSTILE_REPO,
  QUANTIZED,
  ROOT,
  SAMPLE_OPTIONS,
  WRONG,
} from '../src/web/testing/sample-explorer.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
/** Runs in the page, so it is a script of its own: the project's types know no DOM. */
const FIND_FAINT_TEXT = readFileSync(new URL('./lib/find-faint-text.js', import.meta.url), 'utf8');
const title =
  CHROMIUM === undefined
    ? 'the explorer in a browser (skipped: no Chromium in /usr/bin; `apt-get install chromium` brings one)'
    : 'the explorer in a browser';

describe.skipIf(CHROMIUM === undefined)(title, () => {
  let store: Store;
  let explorer: RunningExplorer;
  let browser: Browser;

  beforeAll(async () => {
    const path = makePath();
    await fillSampleExplorer(path);
    store = await openStore(path, { readonly: true });
    explorer = await startExplorer({
      store,
      ...SAMPLE_OPTIONS,
      sql: (query, params) => runQuery(path, query, { params }),
      hosts: ['127.0.0.1'],
    });
    browser = await chromium.launch({
      executablePath: CHROMIUM!,
      args: [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await explorer?.close();
    await store?.close();
  });

  /** Runs work in a fresh tab; afterwards no request may have left the origin and nothing may have been complained about. */
  async function browse(
    work: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    const context = await browser.newContext({ baseURL: explorer.url, ...options });
    context.setDefaultTimeout(10_000);
    const page = await context.newPage();
    const complaints: string[] = [];
    const outside: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(explorer.url)) outside.push(request.url());
    });
    await work(page);
    await context.close();
    expect(outside).toEqual([]);
    expect(complaints).toEqual([]);
  }

  const heading = (page: Page) => page.locator('h1').innerText();

  it('finds a model by the beginning of its name, with suggestions on the way', () =>
    browse(async (page) => {
      await page.goto('/');
      const suggested = page.waitForResponse((response) => response.url().includes('/search.json'));
      await page.getByRole('combobox', { name: 'Find a model' }).pressSequentially('northlab/W');
      await suggested;
      await page.locator('datalist option').first().waitFor({ state: 'attached' });
      await page.keyboard.press('Enter');
      await page.getByRole('link', { name: WRONG }).click();
      expect(await heading(page)).toBe(WRONG);
      expect(new URL(page.url()).pathname).toBe(`/models/${WRONG}`);
    }));

  it('goes straight to a model whose whole name was chosen from the suggestions', () =>
    browse(async (page) => {
      await page.goto('/');
      const suggested = page.waitForResponse((response) => response.url().includes('/search.json'));
      await page.getByRole('combobox', { name: 'Find a model' }).pressSequentially(WRONG);
      await suggested;
      await page.locator(`datalist option[value="${WRONG}"]`).waitFor({ state: 'attached' });
      await page.keyboard.press('Enter');
      await page.waitForURL(`**/models/${WRONG}`);
      expect(await heading(page)).toBe(WRONG);
    }));

  it('walks a tree: up to the root, down into the crowd, and on to a child', () =>
    browse(async (page) => {
      await page.goto(`/models/${WRONG}`);
      expect(await page.locator('svg.tree [aria-current=page]').textContent()).toContain('Wrong-Card');
      await page.locator('svg.tree a', { hasText: 'Base-7B ' }).first().click();
      await page.waitForURL(`**/models/${ROOT}`);
      await page.locator('svg.tree a', { hasText: /and \d+ more quantized/ }).click();
      await page.waitForURL('**/children/**');
      expect(await page.locator('tbody tr').count()).toBe(QUANTIZED);
      await page.getByRole('link', { name: 'packer/Base-7B-Q7', exact: true }).click();
      expect(await heading(page)).toBe('packer/Base-7B-Q7');
    }));

  it('opens the evidence of an edge, which adds up, and the candidate that lost', () =>
    browse(async (page) => {
      await page.goto(`/models/${WRONG}`);
      await page.getByRole('link', { name: `Evidence for ${ROOT}` }).click();
      const text = await page.locator('main').innerText();
      expect(text).toContain('+6.20');
      expect(text).toContain('the probability of the edge');
      await page.getByRole('link', { name: 'Findings about kestrel/Orphan' }).click();
      expect(await page.locator('.lead').innerText()).toContain('and lost');
    }));

  it('a permalink gives a stranger the same view: filters, order and place in the list', () =>
    browse(async (page) => {
      await page.goto('/flagged');
      await page.getByRole('checkbox', { name: /contradicted/ }).check();
      await page.getByRole('checkbox', { name: /unresolved/ }).check();
      await page.getByLabel('Order').selectOption('name');
      await page.getByRole('button', { name: 'Show' }).click();
      const rows = await page.locator('tbody th').allInnerTexts();
      expect(rows).toEqual([HOSTILE_REPO, 'kestrel/Orphan', WRONG]);
      const link = page.url();
      await browse(async (stranger) => {
        await stranger.goto(link);
        expect(await stranger.locator('tbody th').allInnerTexts()).toEqual(rows);
        expect(await stranger.getByRole('checkbox', { checked: true }).count()).toBe(2);
        expect(await stranger.getByLabel('Order').inputValue()).toBe('name');
      });
    }));

  it("a card's markup stays text", () =>
    browse(async (page) => {
      for (const path of [
        `/models/${HOSTILE_REPO.split('/').map(encodeURIComponent).join('/')}`,
        '/flagged?verdict=unresolved',
        '/failures',
        '/search?q=evil',
        '/runs/3',
      ]) {
        await page.goto(path);
        expect(await page.title()).not.toBe('owned');
        expect(await page.locator('main img, main script, main iframe').count()).toBe(0);
      }
      await page.goto('/failures');
      expect(await page.locator('tbody').last().innerText()).toContain('<script>document.title=');
    }));

  it('asks SQL through a form, and a saved query', () =>
    browse(async (page) => {
      await page.goto('/sql');
      await page.getByLabel('Query').fill("SELECT repo FROM verdicts WHERE verdict = 'contradicted'");
      await page.getByRole('button', { name: 'Run' }).click();
      expect(await page.locator('tbody').innerText()).toBe(WRONG);
      await page.goto('/sql?saved=ancestors');
      await page.getByLabel('repo', { exact: true }).fill(WRONG);
      await page.getByRole('button', { name: 'Run' }).click();
      expect(await page.locator('tbody').innerText()).toContain(ROOT);
    }));

  it('works by keyboard: the skip link, the menu, a line of the tree', () =>
    browse(async (page) => {
      await page.goto(`/models/${WRONG}`);
      await page.keyboard.press('Tab');
      expect(await page.locator(':focus').textContent()).toBe('Skip to content');
      await page.keyboard.press('Enter');
      expect(await page.locator(':focus').getAttribute('id')).toBe('content');
      const line = page.locator('svg.tree a').first();
      await line.focus();
      await page.keyboard.press('Enter');
      await page.waitForURL(`**/models/${ROOT}`);
    }));

  it('works without JavaScript', () =>
    browse(
      async (page) => {
        await page.goto('/');
        await page.getByRole('combobox', { name: 'Find a model' }).fill('north');
        await page.getByRole('button', { name: 'Search' }).click();
        await page.getByRole('link', { name: WRONG }).click();
        expect(await heading(page)).toBe(WRONG);
        await page.getByText('The same as a table').click();
        expect(await page.locator('details table').first().isVisible()).toBe(true);
      },
      { javaScriptEnabled: false },
    ));

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('fits in %s at %i pixels, and its text can be read', (colorScheme, width) =>
    browse(
      async (page) => {
        for (const path of [
          '/',
          `/models/${WRONG}`,
          `/edges/${WRONG}/from/${ROOT}`,
          '/flagged',
          `/families/${ROOT}`,
          `/maps/${ROOT}`,
          '/about',
        ]) {
          await page.goto(path);
          const over = await page.evaluate<number>(
            'document.documentElement.scrollWidth - window.innerWidth',
          );
          expect(`${path} ${Math.max(0, over)}`).toBe(`${path} 0`);
          expect(`${path} ${(await page.evaluate<string[]>(FIND_FAINT_TEXT)).join()}`).toBe(`${path} `);
        }
      },
      { colorScheme, viewport: { width, height: 800 } },
    ),
  );
});
