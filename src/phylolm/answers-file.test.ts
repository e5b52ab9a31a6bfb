import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openAnswers } from './answers-file.ts';
import { type Completion, readCompletions } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'phylolm-answers-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function write(content: string): string {
  const path = join(folder, `answers-${files++}.jsonl`);
  writeFileSync(path, content);
  return path;
}

async function readAll(path: string): Promise<Completion[]> {
  const rows: Completion[] = [];
  for await (const row of readCompletions(path)) rows.push(row);
  return rows;
}

const row = { model: 'a/é', prompt: 'Once 😀 upon', completion: ' a' };
const line = `${JSON.stringify(row)}\n`;

describe('a file of answers', () => {
  it('is gone on with wherever a killed run left off in a line', async () => {
    const bytes = Buffer.from(line + line);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const path = join(folder, 'cut.jsonl');
      writeFileSync(path, bytes.subarray(0, cut));
      const answers = await openAnswers(path);
      await answers.append(row);
      await answers.close();
      // a line is kept when all but its end is there
      const whole = cut >= bytes.length - 1 ? 2 : cut >= bytes.length / 2 - 1 ? 1 : 0;
      expect(await readAll(path)).toEqual(Array.from({ length: whole + 1 }, () => row));
    }
  });

  it('of another kind is left as it is', async () => {
    for (const text of ['My novel, chapter one', `${line}not ours`, '[1,2', 'x'.repeat(5_000_000)]) {
      const path = write(text);
      await expect(openAnswers(path)).rejects.toMatchObject({ code: 'UsageInvalid', where: path });
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
    await expect(openAnswers(folder)).rejects.toMatchObject({ code: 'UsageInvalid' });
  });

  it('gets whole lines, however many are added at once', async () => {
    const path = write('');
    const answers = await openAnswers(path);
    const rows = Array.from({ length: 200 }, (_, i) => ({ ...row, prompt: `${i} ${'p'.repeat(i * 50)}` }));
    await Promise.all(rows.map((one) => answers.append(one)));
    await answers.close();
    expect(await readAll(path)).toEqual(rows);
  });

  it('can be read again whatever an endpoint sends', async () => {
    const path = write('');
    const answers = await openAnswers(path);
    // six characters each in JSON; blanks before the first word do not count
    await answers.append({ ...row, completion: `${' '.repeat(9000)}word${'\u0001'.repeat(900_000)}` });
    await answers.append({ ...row, completion: '\ud800' });
    await answers.close();
    const [long, half] = await readAll(path);
    expect(long!.completion.slice(0, 4)).toBe('word');
    expect(long!.completion.length).toBe(2000);
    expect(half!.completion).toBe('\ud800');
  });
});
