import { createHash } from 'node:crypto';
import { gguf } from '@huggingface/gguf';
import {
  downloadFile,
  fileDownloadInfo,
  listCommits,
  listFiles,
  listModels,
  modelInfo,
  parseSafetensorsMetadata,
  pathsInfo,
  repoExists,
} from '@huggingface/hub';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Minihub } from './index.ts';
import { startMinihub } from './index.ts';

/** The Hub's own client as an independent judge: it was written against the real thing. */
describe('@huggingface/hub', () => {
  let hub: Minihub;
  let hubUrl: string;
  const repo = 'virtual/root';
  beforeAll(async () => {
    const shape = 'llama-tiny' as const;
    hub = await startMinihub({
      virtual: {
        seed: 5,
        models: [
          { id: repo, shape, relation: 'root', container: 'safetensors-sharded', maxShardBytes: 200_000 },
          { id: 'virtual/child', shape, relation: 'finetune', parents: [repo], baseModel: repo },
          { id: 'virtual/child-GGUF', shape, relation: 'quantized', parents: ['virtual/child'] },
        ],
      },
      strict: true,
    });
    hubUrl = hub.url;
  });
  afterAll(() => hub.close());

  it('lists models, over several pages', async () => {
    const names = [];
    for await (const model of listModels({ hubUrl, additionalFields: ['sha', 'tags', 'cardData'] })) {
      expect(model.updatedAt).toBeInstanceOf(Date);
      names.push(model.name);
    }
    expect(names.sort()).toEqual(['virtual/child', 'virtual/child-GGUF', repo]);
    const found = [];
    for await (const model of listModels({
      hubUrl,
      search: { owner: 'virtual', tags: [`base_model:finetune:${repo}`] },
    })) {
      found.push(model.name);
    }
    expect(found).toEqual(['virtual/child']);
  });

  it('reads info, files, paths and commits', async () => {
    const info = await modelInfo({ name: repo, hubUrl, additionalFields: ['sha', 'safetensors'] });
    expect(info.safetensors?.total).toBe(188_864);
    const files = [];
    for await (const file of listFiles({ repo, hubUrl, recursive: true })) files.push(file);
    expect(files.map((file) => file.path)).toEqual([
      'README.md',
      'config.json',
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
    ]);
    const [config] = await pathsInfo({ repo, hubUrl, paths: ['config.json', 'absent'], expand: true });
    expect(config).toMatchObject({ path: 'config.json', type: 'file', lastCommit: { id: info.sha } });
    for await (const commit of listCommits({ repo, hubUrl })) expect(commit.oid).toBe(info.sha);
    expect(await repoExists({ repo: 'no/where', hubUrl })).toBe(false);
    expect(await fileDownloadInfo({ repo, path: 'absent.json', hubUrl })).toBeNull();
  });

  it('downloads a small file', async () => {
    const blob = await downloadFile({ repo, path: 'config.json', hubUrl });
    expect(JSON.parse((await blob?.text()) ?? '')).toMatchObject({ model_type: 'llama' });
  });

  it.each([
    [false, 'WebBlob'],
    [undefined, 'XetBlob'],
  ])('downloads weights whole and in slices with xet: %s', async (xet, kind) => {
    const path = 'model-00001-of-00002.safetensors';
    const options = xet === undefined ? {} : { xet };
    const blob = await downloadFile({ repo, path, hubUrl, ...options });
    expect(blob?.constructor.name).toBe(kind);
    const bytes = new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(0));
    const [entry] = await pathsInfo({ repo, hubUrl, paths: [path] });
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(entry?.lfs?.oid);
    const slice = await blob?.slice(70_000, 140_001).arrayBuffer();
    expect(new Uint8Array(slice ?? new ArrayBuffer(0))).toEqual(bytes.slice(70_000, 140_001));
  });

  it('parses safetensors and GGUF metadata', async () => {
    const parsed = await parseSafetensorsMetadata({ repo, hubUrl, computeParametersCount: true });
    expect(parsed).toMatchObject({ sharded: true, parameterCount: { BF16: 188_864 } });
    const { metadata, tensorInfos } = await gguf(
      `${hubUrl}/virtual/child-GGUF/resolve/main/child-GGUF.Q8_0.gguf`,
    );
    expect(metadata).toMatchObject({ 'general.architecture': 'llama', 'llama.block_count': 3 });
    expect(tensorInfos.find((info) => info.name === 'blk.0.attn_q.weight')?.shape).toEqual([64n, 64n]);
  });
});
