-- Contradicted declarations by owner
-- Owners with the most models whose weights are not consistent with the declared base.
-- @param limit=50 rows at most
SELECT m.owner, count(*) AS contradicted
FROM verdicts v
JOIN models m ON m.repo = v.repo
WHERE v.verdict = 'contradicted'
GROUP BY m.owner
ORDER BY contradicted DESC, m.owner
LIMIT :limit
