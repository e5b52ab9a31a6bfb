/** Addresses of the explorer's pages. They are permalinks: add, but never change what one of them means. */

/** Slashes of a repo name stay; whatever else is odd is escaped. */
const toPath = (name: string) => name.split('/').map(encodeURIComponent).join('/');

export const modelPath = (repo: string): string => `/models/${toPath(repo)}`;
export const childrenPath = (repo: string, relation?: string | null): string =>
  `/children/${toPath(repo)}${relation ? `?relation=${encodeURIComponent(relation)}` : ''}`;
export const familyPath = (root: string): string => `/families/${toPath(root)}`;
export const mapPath = (root: string): string => `/maps/${toPath(root)}`;
export const edgePath = (child: string, parent: string): string =>
  `/edges/${toPath(child)}/from/${toPath(parent)}`;
export const runPath = (runId: number): string => `/runs/${runId}`;

/** `CHILD/from/PARENT`, each of one or two parts; null when it is not that. The only split that leaves both sides whole is taken. */
export function splitEdge(subject: string): { child: string; parent: string } | null {
  const parts = subject.split('/');
  for (const at of [2, 1]) {
    const after = parts.length - at - 1;
    if (parts[at] === 'from' && after >= 1 && after <= 2)
      return { child: parts.slice(0, at).join('/'), parent: parts.slice(at + 1).join('/') };
  }
  return null;
}

/** path?name=value&..., pairs without a value left out */
export function withQuery(
  path: string,
  query: Record<string, string | number | null | undefined | readonly string[]>,
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** The same page as JSON: `.json` before the query. */
export function jsonPath(url: string): string {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  return `${path === '/' ? '/index' : path}.json${at < 0 ? '' : url.slice(at)}`;
}

/** A repo's page on the Hub; null for what is no repo name. */
export function hubPath(hubUrl: string, repo: string): string | null {
  if (!/^[\w.-]+(?:\/[\w.-]+)?$/.test(repo) || repo.startsWith('virtual/')) return null;
  return safeUrl(`${hubUrl}/${repo}`);
}

/** A link's target when it is an http(s) URL without anything odd in it; null otherwise. */
export const safeUrl = (url: string): string | null =>
  /^https?:\/\/[^\s"'<>\\^`{|}]+$/i.test(url) ? url : null;
