import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isHublineageError } from '../types/errors.ts';
import { loadConfig } from './load.ts';
import { configJsonSchema } from './schema.ts';

function configFile(content: unknown): string {
  const path = join(mkdtempSync(join(tmpdir(), 'config-')), 'crawler.config.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const noToken = { HF_TOKEN_PATH: '/nonexistent' };

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isHublineageError(error, 'ConfigInvalid')) return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('loadConfig', () => {
  it('has a default for everything', () => {
    const { config } = loadConfig({ cwd: mkdtempSync(join(tmpdir(), 'config-')), env: noToken });
    expect(config.hub.endpoint).toBe('https://huggingface.co');
    expect(config.sampling).toMatchObject({ valuesPerTensor: 512, maxRequests: 256, maxBytes: 4_000_000 });
    expect(config.scope.filters.llama).toContain('llama');
    expect(Object.isFrozen(config.hub)).toBe(true);
  });

  it('lets flags win over the environment over the file over defaults, and tells where values came from', () => {
    const file = configFile({ hub: { endpoint: 'http://a.example', retries: 2 }, report: { top: 3 } });
    const { config, origins } = loadConfig({
      file,
      env: { ...noToken, HF_ENDPOINT: 'http://b.example/' },
      flags: { report: { top: 7 } },
      flagNames: { 'report.top': '--top' },
    });
    expect(config.hub.endpoint).toBe('http://b.example');
    expect(config.hub.retries).toBe(2);
    expect(config.report.top).toBe(7);
    expect(origins).toMatchObject({
      'hub.endpoint': 'environment HF_ENDPOINT',
      'hub.retries': file,
      'report.top': '--top',
      'hub.timeoutMs': 'default',
    });
  });

  it('names an unknown key and the nearest known one', () => {
    expect(
      messageOf(() => loadConfig({ file: configFile({ sampling: { valuesPerTensr: 5 } }), env: noToken })),
    ).toBe('sampling.valuesPerTensr: unknown key; did you mean sampling.valuesPerTensor?');
    expect(messageOf(() => loadConfig({ file: configFile({ smapling: {} }), env: noToken }))).toContain(
      'did you mean sampling?',
    );
  });

  it('names an out-of-range key', () => {
    expect(
      messageOf(() => loadConfig({ file: configFile({ hub: { quotaShare: 2 } }), env: noToken })),
    ).toMatch(/^hub\.quotaShare: /);
    expect(
      messageOf(() => loadConfig({ file: configFile({ hub: { endpoint: 'file:///etc' } }), env: noToken })),
    ).toMatch(/^hub\.endpoint: /);
    expect(
      messageOf(() => loadConfig({ file: configFile({ run: { deadline: '25:00' } }), env: noToken })),
    ).toMatch(/^run\.deadline: /);
  });

  it('refuses a token in the file, JSON that is none, and a file that is asked for and missing', () => {
    expect(
      messageOf(() => loadConfig({ file: configFile({ hub: { token: 'hf_x' } }), env: noToken })),
    ).toContain('token');
    expect(messageOf(() => loadConfig({ file: configFile('{,}'), env: noToken }))).toContain(
      'not valid JSON',
    );
    expect(messageOf(() => loadConfig({ file: '/nonexistent/x.json', env: noToken }))).toContain(
      'does not exist',
    );
  });

  it('finds the token as the hf tools do', () => {
    const dir = mkdtempSync(join(tmpdir(), 'home-'));
    writeFileSync(join(dir, 'token'), 'hf_file\n');
    expect(loadConfig({ cwd: dir, env: { HF_TOKEN: ' hf_env ', HF_HOME: dir } }).config.hub.token).toBe(
      'hf_env',
    );
    expect(loadConfig({ cwd: dir, env: { HF_HOME: dir } }).config.hub.token).toBe('hf_file');
  });

  it('describes every key in its JSON schema', () => {
    const schema = JSON.stringify(configJsonSchema());
    expect(schema).toContain('quotaShare');
    expect(schema).not.toContain('"token"');
  });
});
