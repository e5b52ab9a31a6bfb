-- Open copies of gated models
-- Repos without a gate whose values equal those of a gated one.
-- @param limit=100 rows at most
SELECT e.child AS repo, e.parent AS gated_repo, p.gated, c.downloads
FROM edges e
JOIN models c ON c.repo = e.child
JOIN models p ON p.repo = e.parent
WHERE e.relation = 'duplicate' AND e.rank = 1 AND c.gated = 'no' AND p.gated <> 'no'
LIMIT :limit
