import { describe, expect, it } from 'vitest';
import { createFormulaModel } from '../../test/lib/formula-model.ts';
import { meterFiles } from './meter.ts';

const { files } = createFormulaModel([['a.weight', [10, 10]]], { family: 'llama', dtype: 'F32' });

describe('meterFiles', () => {
  it('counts ranges and bytes and opens a file once', async () => {
    const metered = meterFiles(files);
    const [one, two] = await Promise.all([metered.open('model-0'), metered.open('model-0')]);
    expect(one).toBe(two);
    await one.read(0, 100);
    await one.read(5, 7);
    expect(metered.usage()).toEqual({ opens: 1, requests: 2, bytes: 107 });
  });

  it('does not count twice what is metered already', () => {
    const metered = meterFiles(files);
    expect(meterFiles(metered)).toBe(metered);
  });

  it('tries a failed opening again', async () => {
    let tries = 0;
    const flaky = meterFiles({
      ...files,
      open: async (path) => {
        if (tries++ === 0) throw new Error('down');
        return files.open(path);
      },
    });
    await expect(flaky.open('model-0')).rejects.toThrow('down');
    await expect(flaky.open('model-0')).resolves.toMatchObject({ path: 'model-0' });
  });
});
