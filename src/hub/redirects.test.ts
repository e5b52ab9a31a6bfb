import { describe, expect, it } from 'vitest';
import { TryAgain } from './failures.ts';
import { followRedirect } from './redirects.ts';

const hosts = ['*.hf.co', 'cdn.example', 'port.example:8443'];
const hub = new URL('https://huggingface.co');
const local = new URL('http://127.0.0.1:4000');
const mirror = new URL('http://mirror.lan:8080');

function follow(location: string, endpoint = hub): string | undefined {
  const from = new URL('/owner/name/resolve/main/x', endpoint);
  try {
    return followRedirect(location, from, { endpoint, hosts }, 'x').href;
  } catch (error) {
    return error instanceof TryAgain ? error.error.code : (error as { code: string }).code;
  }
}

describe('a redirect may lead', () => {
  it.each([
    ['https://us.aws.cdn.hf.co/a?b=%2B&c', hub],
    ['https://cdn.example/a', hub],
    ['https://port.example:8443/a', hub],
    ['https://huggingface.co/a', hub],
    ['http://127.0.0.1:9/a', local],
    ['https://localhost:9/a', local],
    ['https://us.gcp.cdn.hf.co/a', local],
    ['http://mirror.lan:8080/a', mirror],
  ])('to %s from %s', (location, endpoint) => {
    expect(follow(location, endpoint)).toBe(location);
  });

  it('inside the endpoint by a relative address', () => {
    expect(follow('/api/resolve-cache/models/a/b')).toBe(
      'https://huggingface.co/api/resolve-cache/models/a/b',
    );
  });

  it.each([
    ['https://hf.co/a', hub],
    ['https://evilhf.co/a', hub],
    ['https://us.aws.cdn.hf.co.evil.example/a', hub],
    ['http://us.aws.cdn.hf.co/a', hub],
    ['https://us.aws.cdn.hf.co:444/a', hub],
    ['https://cdn.example:444/a', hub],
    ['https://a@cdn.example/a', hub],
    ['http://huggingface.co/a', hub],
    ['https://huggingface.co:444/a', hub],
    ['http://127.0.0.1/a', hub],
    ['http://[::1]:5/a', hub],
    ['http://10.0.0.1/a', local],
    ['http://127.0.0.1.nip.io/a', local],
    ['http://mirror.lan:9/a', mirror],
    ['//evil.example/a', hub],
    ['javascript:alert(1)', hub],
    ['file:///etc/passwd', local],
    ['http://[bad', hub],
  ])('not to %s from %s', (location, endpoint) => {
    expect(follow(location, endpoint)).toBe('RedirectRefused');
  });

  it('nowhere', () => {
    for (const location of ['', 'api/resolve-cache/models/a/b', '?again', '../x', '#x']) {
      expect(follow(location)).toBe('HubBadAnswer');
    }
  });
});
