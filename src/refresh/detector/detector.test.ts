import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generatedImages, generatedSets } from '../../../bench/lib/detector-sets.ts';
import { toImagesFile, toSetsFile } from '../../lineage/index.ts';
import { isHublineageError } from '../../types/errors.ts';
import { evaluateDetector } from './evaluate-detector.ts';
import { DETECTOR_FOLDER, readPhylogenyModel, readSets } from './files.ts';
import { loadDetectors } from './load-detectors.ts';
import { DETECTOR_KINDS, trainDetector } from './train-detector.ts';

const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
let data: string;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'detector-'));
  const pack = (name: string, bytes: Uint8Array) =>
    writeFile(join(data, `${name}.br`), brotliCompressSync(bytes, fast));
  // seeds of small families
  for (const [name, seed] of [
    ['train', 33],
    ['stop', 22],
    ['test', 44],
    ['zoo-test', 34],
    ['zoo-train', 55],
  ] as const) {
    const sets = generatedSets([seed]).map((set) => ({ ...set, family: name }));
    await pack(`phylogeny-${name}`, toSetsFile(sets));
    await pack(
      `lineage-${name}`,
      toImagesFile(generatedImages([seed]).map((set) => ({ ...set, family: name }))),
    );
  }
}, 60_000);
afterAll(() => rm(data, { recursive: true }));

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isHublineageError(error) ? error.code : String(error)),
  );

describe('trainDetector', () => {
  it.each(DETECTOR_KINDS)(
    '%s: interrupted and resumed, the weights are those of an uninterrupted run',
    async (kind) => {
      const base = { kind, data, seed: 2, epochs: 2, resume: false, backend: 'wasm' } as const;
      const whole = join(data, `${kind}-whole`);
      const broken = join(data, `${kind}-broken`);
      await trainDetector({ ...base, out: whole, signal: new AbortController().signal, onEpoch: () => {} });
      const stop = new AbortController();
      const interrupted = trainDetector({
        ...base,
        out: broken,
        signal: stop.signal,
        onEpoch: () => stop.abort(),
      });
      expect(await codeOf(interrupted)).toBe('Interrupted');
      expect(await readdir(broken)).toEqual([`${kind}.checkpoint`]);
      const signal = new AbortController().signal;
      const other = { ...base, out: broken, resume: true, signal, onEpoch: () => {} };
      expect(await codeOf(trainDetector({ ...other, seed: 3 }))).toBe('UsageInvalid');
      expect(await codeOf(trainDetector({ ...other, epochs: 5 }))).toBe('UsageInvalid');
      const trained = await trainDetector({
        ...base,
        out: broken,
        resume: true,
        signal: new AbortController().signal,
        onEpoch: () => {},
      });
      expect(trained.epochs).toBe(2);
      expect((await readdir(broken)).sort()).toEqual((await readdir(whole)).sort());
      for (const file of await readdir(whole))
        expect(await readFile(join(broken, file))).toEqual(await readFile(join(whole, file)));
      const rows = await evaluateDetector({ kind, weights: broken, data });
      expect(rows.map(({ family, seen }) => [family, seen])).toEqual([
        ['generated', false],
        ['zoo-test', false],
        ['zoo-train', true],
      ]);
      expect(rows.reduce((sum, row) => sum + row.children, 0)).toBeGreaterThan(5);
    },
    60_000,
  );

  it('says which file is missing, or cannot be resumed from', async () => {
    const signal = new AbortController().signal;
    const base = { kind: 'phylogeny', seed: 1, epochs: 1, signal, onEpoch: () => {} } as const;
    const nowhere = join(data, 'nowhere');
    expect(await codeOf(trainDetector({ ...base, data: nowhere, out: nowhere, resume: false }))).toBe(
      'FileMissing',
    );
    expect(await codeOf(trainDetector({ ...base, data, out: nowhere, resume: true }))).toBe('FileMissing');
  });
});

describe('files', () => {
  it('that are not what their name says are refused', async () => {
    await writeFile(join(data, 'bad.br'), 'not brotli at all');
    expect(await codeOf(readSets(data, 'bad'))).toBe('HeaderInvalid');
    await writeFile(join(data, 'bomb.br'), brotliCompressSync(Buffer.alloc(70e6), fast));
    expect(await codeOf(readSets(data, 'bomb'))).toBe('HeaderInvalid');
    await writeFile(join(data, 'phylogeny.json'), '{');
    await writeFile(join(data, 'phylogeny.bin'), 'x');
    expect(await codeOf(readPhylogenyModel(data))).toBe('HeaderInvalid');
  });
});

describe('the shipped detectors', () => {
  it('fit in five megabytes with all they were trained on', async () => {
    let bytes = 0;
    for (const name of await readdir(DETECTOR_FOLDER))
      bytes += (await readFile(join(DETECTOR_FOLDER, name))).length;
    expect(bytes).toBeLessThan(5e6);
  });

  it.each(DETECTOR_KINDS)(
    '%s: beats the plain rule on generated families it has not seen',
    async (kind) => {
      const [generated] = await evaluateDetector({ kind });
      expect(generated!.seen).toBe(false);
      expect(generated!.children).toBeGreaterThan(90);
      expect(generated!.detector.strict).toBeGreaterThan(generated!.baseline.strict);
    },
    60_000,
  );

  it('are loaded only for methods that need them', async () => {
    expect(await loadDetectors('hublineage')).toEqual({});
    expect((await loadDetectors('phylogeny-detector')).detectors?.phylogeny?.sizes.layers).toBe(2);
  });
});
