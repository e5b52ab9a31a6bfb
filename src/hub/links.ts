/** A `Link` header that is there but cannot be read: what follows it is lost, so it must not be taken for the last page. */
export const MALFORMED_LINK = Symbol('malformed Link');

/** `<https://…>; rel="next"`, commas between several; the target of `rel="next"`, or null when there is none (RFC 8288). */
export function findNextLink(header: string | undefined): string | null | typeof MALFORMED_LINK {
  if (header === undefined) return null;
  const value = /\s*<([^<>]*)>((?:\s*;\s*[a-z*]+\s*=\s*(?:"[^"]*"|[^\s",;]+))*)\s*(?:,|$)/giy;
  let next: string | null = null;
  let end = 0;
  while (end < header.length) {
    value.lastIndex = end;
    const match = value.exec(header);
    if (match === null) return MALFORMED_LINK;
    end = value.lastIndex;
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))/i.exec(match[2]!);
    const names = (rel?.[1] ?? rel?.[2] ?? '').toLowerCase().split(/\s+/);
    if (names.includes('next') && next === null) next = match[1]!;
  }
  // An empty header says nothing; one without `rel="next"` is that of a last page.
  return next === '' ? MALFORMED_LINK : next;
}
