import { HublineageError } from '../types/errors.ts';
import { tryAgain } from './failures.ts';

export interface RedirectPolicy {
  endpoint: URL;
  /** `host`, `host:port` or `*.domain`; https only */
  hosts: readonly string[];
}

export const MAX_REDIRECTS = 5;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

export function isLoopback(url: URL): boolean {
  return LOOPBACK.test(url.hostname);
}

/** The same machine: equal names, or two spellings of loopback. */
export function isSameHost(a: URL, b: URL): boolean {
  return a.hostname === b.hostname || (isLoopback(a) && isLoopback(b));
}

/**
 * Where a redirect leads, if it may lead there: to the endpoint's own origin; to another port or scheme of its host where the endpoint
 * is on loopback; to https hosts of the list. A Hub that is not trusted with more than models must not send us to
 * other machines of our network. RedirectRefused otherwise; HubBadAnswer, worth another try, when there is nothing to follow.
 */
export function followRedirect(
  location: string | undefined,
  from: URL,
  policy: RedirectPolicy,
  where: string,
): URL {
  if (location === undefined || location === '') {
    throw tryAgain('HubBadAnswer', 'a redirect without a Location', where);
  }
  // `api/…` without its slash would lead below the file that was asked for, whose absence would then look like that of the file.
  if (!/^(?:[a-z][a-z0-9+.-]*:|\/)/i.test(location)) {
    throw tryAgain('HubBadAnswer', 'a redirect to a path without its beginning', where);
  }
  const to = URL.canParse(location, from.href) ? new URL(location, from) : null;
  if (to === null || (to.protocol !== 'https:' && to.protocol !== 'http:')) {
    throw new HublineageError('RedirectRefused', 'a redirect to something that is no web address', { where });
  }
  if (!isAllowed(to, policy)) {
    throw new HublineageError('RedirectRefused', `a redirect to ${to.protocol}//${to.host} was refused`, {
      where,
      hint: 'hub.redirectHosts lists the hosts redirects may lead to',
    });
  }
  to.hash = '';
  return to;
}

function isAllowed(to: URL, policy: RedirectPolicy): boolean {
  if (to.username !== '' || to.password !== '') return false;
  if (to.origin === policy.endpoint.origin) return true;
  if (isLoopback(policy.endpoint) && isSameHost(to, policy.endpoint)) return true;
  return to.protocol === 'https:' && policy.hosts.some((pattern) => matchesHost(to, pattern.toLowerCase()));
}

function matchesHost(to: URL, pattern: string): boolean {
  if (pattern.startsWith('*.')) return to.port === '' && to.hostname.endsWith(pattern.slice(1));
  return pattern.includes(':') ? to.host === pattern : to.port === '' && to.hostname === pattern;
}
