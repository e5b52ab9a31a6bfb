export { extractClaims } from './extract-claims.ts';
export { parseFrontMatter } from './front-matter.ts';
export { normalizeRepoName } from './normalize.ts';
export { resolveClaims } from './resolve-claims.ts';
export type { ClaimIndex, ClaimInput, ExtractedClaims, FrontMatter } from './types.ts';
