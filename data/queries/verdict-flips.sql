-- Verdicts that changed
-- Latest first.
-- @param limit=100 rows at most
SELECT at, repo, previous, verdict, reason
FROM verdict_history
WHERE previous IS NOT NULL AND previous <> verdict
ORDER BY at DESC
LIMIT :limit
