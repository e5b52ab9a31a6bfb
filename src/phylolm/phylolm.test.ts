import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { compareByBehaviour } from './compare.ts';
import { drawTree } from './draw-tree.ts';
import { readCompletions, readGenes } from './read-completions.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

describe('files', () => {
  const file = (content: string) => {
    const dir = mkdtempSync(join(tmpdir(), 'phylolm-'));
    cleanups.push(() => rmSync(dir, { recursive: true }));
    const path = join(dir, 'rows');
    writeFileSync(path, content);
    return path;
  };
  const read = async (path: string) => {
    const rows = [];
    for await (const row of readCompletions(path)) rows.push(row);
    return rows;
  };

  it('of completions are read line by line', async () => {
    const row = { model: 'a', prompt: 'p\n', completion: 'c' };
    expect(await read(file(`${JSON.stringify(row)}\r\n\n${JSON.stringify(row)}`))).toEqual([row, row]);
  });

  it.each([
    '{',
    '[]',
    '{"model":"a","prompt":1,"completion":""}',
    '{"model":"","prompt":"","completion":""}',
    '{"model":{"toString":1},"prompt":"","completion":""}',
    'null',
    '42',
    `{"model":"${'m'.repeat(301)}","prompt":"","completion":""}`,
  ])('with %s in them are refused, with the line', async (line) => {
    const good = '{"model":"a","prompt":"p","completion":"c"}';
    await expect(read(file(`${good}\n${line}`))).rejects.toMatchObject({
      code: 'UsageInvalid',
      where: expect.stringMatching(/line 2$/),
    });
  });

  it('that are missing or one endless line are refused', async () => {
    await expect(read('/nonexistent/file')).rejects.toMatchObject({ code: 'UsageInvalid' });
    await expect(read(file('x'.repeat(2_000_000)))).rejects.toMatchObject({ code: 'UsageInvalid' });
  });

  it('of genes hold texts, strings or objects', async () => {
    const genes = await readGenes(
      file('plain text\n"quoted\\n"\n{"prompt": "from JSON"}\n{ not JSON\nplain text\n'),
    );
    expect(genes).toEqual(['plain text', 'quoted\n', 'from JSON', '{ not JSON']);
  });
});

describe('comparing by behaviour', () => {
  it('puts together those that answer alike, and claims no parents', async () => {
    const answers = { a: 'same', b: 'same', c: 'other', d: 'other' };
    const completions = Object.entries(answers).flatMap(([model, completion]) =>
      Array.from({ length: 40 }, (_, gene) => ({
        model,
        prompt: String(gene),
        // one gene in four is answered by everybody alike, so that nothing is at the floor
        completion: gene % 4 === 0 ? 'common' : completion,
      })),
    );
    const document = await compareByBehaviour(completions);
    expect(document.distance[0]![1]).toBe(0);
    expect(document.distance[0]![2]).toBeCloseTo(-Math.log(10 / 40), 9);
    expect(document.newick).toBe('((a:0,b:0):1.386294,c:0,d:0);');
    expect(document.notes.join(' ')).toMatch(/not who was made from whom/);
  });

  it('needs two models', async () => {
    await expect(compareByBehaviour([{ model: 'a', prompt: 'p', completion: 'c' }])).rejects.toMatchObject({
      code: 'UsageInvalid',
    });
  });

  it('draws names as text, whatever they hold', () => {
    const leaf = (name: string) => ({ name, length: 1, children: [] });
    const svg = drawTree({ name: null, length: 0, children: [leaf('<script>&"'), leaf('b'), leaf('c')] });
    expect(svg).toContain('&lt;script&gt;&amp;&quot;');
    expect(svg).not.toContain('<script');
  });
});
