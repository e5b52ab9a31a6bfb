import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLocalRepo } from './local-repo.ts';

let dir: string;
let repo: string;
const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'local-repo-'));
  repo = join(dir, 'repo');
  await mkdir(join(repo, 'unet', '.git'), { recursive: true });
  await mkdir(join(repo, '.cache'));
  await writeFile(join(repo, 'model.safetensors'), bytes);
  await writeFile(join(repo, 'README.md'), 'hello');
  await writeFile(join(repo, 'unet', 'config.json'), '{}');
  await writeFile(join(repo, '.cache', 'x.bin'), 'no');
  await writeFile(join(dir, 'secret.bin'), 'secret');
  await symlink(join(dir, 'secret.bin'), join(repo, 'link.bin'));
  await symlink(dir, join(repo, 'up'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('a local folder as a repo', () => {
  it('lists files with sizes and no hash unless asked', async () => {
    expect(await createLocalRepo(repo).list()).toEqual([
      { path: 'README.md', size: 5, oid: null, sha256: null },
      { path: 'model.safetensors', size: 1000, oid: null, sha256: null },
      { path: 'unet/config.json', size: 2, oid: null, sha256: null },
    ]);
  });

  it('hashes weight files, and only those, when asked', async () => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const files = await createLocalRepo(repo, { hashWeights: true }).list();
    expect(files.map((file) => file.sha256)).toEqual([null, sha256, null]);
    expect((await createLocalRepo(repo, { hashWeights: true }).open('model.safetensors')).sha256).toBe(
      sha256,
    );
    expect(await createLocalRepo(repo).sha256('model.safetensors')).toBe(sha256);
  });

  it('reads exact slices and refuses others', async () => {
    const source = await createLocalRepo(repo).open('model.safetensors');
    expect(source.size).toBe(1000);
    expect([...(await source.read(250, 4))]).toEqual([250, 251, 252, 253]);
    expect(await source.read(1000, 0)).toHaveLength(0);
    for (const [offset, length] of [
      [-1, 2],
      [999, 2],
      [0, 1.5],
      [Number.NaN, 1],
    ] as const)
      await expect(source.read(offset, length)).rejects.toMatchObject({ code: 'OffsetInvalid' });
  });

  it('says when a file has shrunk since it was opened', async () => {
    const file = join(repo, 'shrinks.bin');
    await writeFile(file, bytes);
    const source = await createLocalRepo(repo).open('shrinks.bin');
    await writeFile(file, 'short');
    await expect(source.read(0, 100)).rejects.toMatchObject({ code: 'BodyTruncated' });
    await rm(file);
  });

  it('bounds small reads', async () => {
    const local = createLocalRepo(repo, { label: 'me/mine' });
    expect(new TextDecoder().decode(await local.readSmall('README.md', 10))).toBe('hello');
    await expect(local.readSmall('README.md', 4)).rejects.toMatchObject({
      code: 'BodyTooLarge',
      where: 'me/mine/README.md',
    });
  });

  it('does not leave the folder', async () => {
    const local = createLocalRepo(repo);
    for (const path of [
      '../secret.bin',
      'unet/../../secret.bin',
      join(dir, 'secret.bin'),
      'link.bin',
      'up/secret.bin',
      'unet',
      '',
      '.',
      'no\0pe',
      '..\\secret.bin',
      'absent.bin',
    ])
      await expect(local.open(path)).rejects.toMatchObject({ code: 'FileMissing' });
  });

  it('follows the links of a Hugging Face cache, whose files lie among the blobs', async () => {
    const snapshot = join(dir, 'models--a--b', 'snapshots', 'abc');
    await mkdir(snapshot, { recursive: true });
    await mkdir(join(dir, 'models--a--b', 'blobs'));
    await writeFile(join(dir, 'models--a--b', 'blobs', 'f00'), 'weights');
    await symlink('../../blobs/f00', join(snapshot, 'model.safetensors'));
    await symlink('../../../secret.bin', join(snapshot, 'other.safetensors'));
    const local = createLocalRepo(snapshot);
    expect((await local.list()).map(({ path }) => path)).toEqual(['model.safetensors']);
    expect(new TextDecoder().decode(await local.readSmall('model.safetensors', 99))).toBe('weights');
  });

  it('names a folder that is not there', async () => {
    await expect(createLocalRepo(join(dir, 'nowhere')).list()).rejects.toMatchObject({ code: 'FileMissing' });
  });
});
