-- Contradicted declarations by downloads
-- The models most people would look at first.
-- @param limit=50 rows at most
SELECT m.repo, m.downloads, v.declared, v.inferred, v.probability, v.reason
FROM verdicts v
JOIN models m ON m.repo = v.repo
WHERE v.verdict = 'contradicted'
ORDER BY m.downloads DESC
LIMIT :limit
