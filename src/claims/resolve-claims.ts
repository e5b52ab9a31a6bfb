import type { Claim, ResolvedClaim } from '../types/claims.ts';
import type { ClaimIndex } from './types.ts';

/**
 * Claims held against the repos the index knows. A file's sha256 says more than a name typed beside it, except when the named repo
 * holds that very file. A quantised repack stands for the model it was made from: adapters are trained on `*-bnb-4bit` copies and
 * meant for the original.
 */
export function resolveClaims(claims: readonly Claim[], index: ClaimIndex): ResolvedClaim[] {
  return claims.map((claim) => ({ ...claim, resolvedRepo: resolve(claim, index) }));
}

function resolve(claim: Claim, index: ClaimIndex): string | null {
  const named = claim.normalized === null ? null : index.find(claim.normalized);
  const holders = claim.sha256 === null ? [] : index.findBySha256(claim.sha256);
  const repo =
    named !== null && (holders.length === 0 || holders.includes(named)) ? named : (holders[0] ?? named);
  if (repo === null) return claim.normalized === null ? null : index.quantSource(claim.normalized);
  return index.quantSource(repo) ?? repo;
}
