import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeRepoName } from './normalize.ts';

describe('normalizeRepoName', () => {
  it.each([
    ['meta-llama/Llama-2-7b-hf', 'meta-llama/Llama-2-7b-hf'],
    ['  Meta-Llama/llama-2-7B-HF  ', 'Meta-Llama/llama-2-7B-HF'],
    ['https://huggingface.co/x/y', 'x/y'],
    ['http://www.huggingface.co/x/y/', 'x/y'],
    ['https://huggingface.co/x/y/tree/main', 'x/y'],
    ['https://huggingface.co/x/y/blob/main/README.md?foo=1#bar', 'x/y'],
    ['huggingface.co/x/y', 'x/y'],
    ['hf.co/x/y:Q4_K_M', 'x/y'],
    ['https://hf.co/x/y', 'x/y'],
    ['hf://x/y', 'x/y'],
    ['x/y/', 'x/y'],
    ['x / y', 'x/y'],
    ['x/y@main', 'x/y'],
    ['x/y@refs/pr/1', 'x/y'],
    ['x/y.git', 'x/y'],
    ['"x/y"', 'x/y'],
    ['`x/y`', 'x/y'],
    ['[the base](https://huggingface.co/x/y)', 'x/y'],
    ['models/x/y', 'x/y'],
    ['data/Real-7B', 'data/Real-7B'],
    ['gpt2', 'gpt2'],
    ['bert-base-uncased', 'bert-base-uncased'],
    ['NousResearch/Llama-2-7b-chat-hf', 'NousResearch/Llama-2-7b-chat-hf'],
  ])('reads %s', (raw, repo) => {
    expect(normalizeRepoName(raw)).toBe(repo);
  });

  it.each([
    [''],
    ['   '],
    ['./models/llama-base'],
    ['../llama'],
    ['/workspace/output/checkpoint-500'],
    ['~/llama'],
    ['C:\\models\\llama'],
    ['models\\llama'],
    ['output/checkpoint-500'],
    ['checkpoints/step_100'],
    ['https://example.com/x/y'],
    ['https://huggingface.co.evil.example/x/y'],
    ['https://huggingface.co/datasets/x'],
    ['datasets/squad'],
    ['javascript:alert(1)'],
    ['file:///etc/passwd'],
    ['a/b/c/d'],
    ['Llama 2 7B by Meta'],
    ['x/..'],
    ['x/a--b'],
    ['-x/y'],
    ['x/y-'],
    ['none'],
    ['v1-5-pruned.ckpt'],
    ['sd/v1-5-pruned.safetensors'],
    ['x'.repeat(501)],
    [`x/${'y'.repeat(97)}`],
    ['x/y\u0000z'],
    ['x/<script>'],
  ])('refuses %s', (raw) => {
    expect(normalizeRepoName(raw)).toBeNull();
  });

  const segment = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{2,20}$/);

  it('leaves a name it gave unchanged, and finds it behind every URL form', () => {
    fc.assert(
      fc.property(segment, segment, (owner, name) => {
        const repo = `${owner}Org/${name}`;
        fc.pre(normalizeRepoName(repo) !== null);
        expect(normalizeRepoName(repo)).toBe(repo);
        expect(normalizeRepoName(`https://huggingface.co/${repo}/tree/main`)).toBe(repo);
        expect(normalizeRepoName(` hf.co/${repo}/ `)).toBe(repo);
        expect(normalizeRepoName(`${repo}@abc123`)).toBe(repo);
      }),
    );
  });

  it('answers any text with a well-formed id or null', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (raw) => {
        const repo = normalizeRepoName(raw);
        if (repo !== null) expect(repo).toMatch(/^[A-Za-z0-9_][\w.-]*(?:\/[A-Za-z0-9_][\w.-]*)?$/);
      }),
    );
  });
});
