import { describe, expect, it } from 'vitest';
import { COMMANDS, loadCommandsFor } from './index.ts';

const namesFor = async (...argv: string[]) => (await loadCommandsFor(argv)).map(({ name }) => name);

describe('loadCommandsFor', () => {
  it('loads what a line may mean and no more', async () => {
    expect(await namesFor('--version')).toEqual([]);
    expect(await namesFor('show', 'owner/name')).toEqual(['show']);
    expect(await namesFor('--db', 'x.sqlite', 'sql', 'SELECT 1')).toEqual(['sql']);
    expect(await namesFor('help', 'tree')).toEqual(['tree']);
    expect(await namesFor('config', 'check')).toEqual(['config show', 'config check', 'config schema']);
  });

  it('loads both where a value is called like a command', async () => {
    expect(await namesFor('--config', 'refresh', 'show', 'x')).toEqual(['refresh', 'show']);
  });

  it('loads all for help and for names that are none, so that the nearest can be told', async () => {
    const all = COMMANDS.map(({ name }) => name);
    expect(await namesFor('--help')).toEqual(all);
    expect(await namesFor('refesh')).toEqual(all);
    expect(await namesFor()).toEqual(all);
    expect(await namesFor('--version', '--json')).toEqual(all);
  });
});
