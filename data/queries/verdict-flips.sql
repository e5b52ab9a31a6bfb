-- Verdicts that changed
-- Latest run first.
-- @param limit=100 rows at most
SELECT at, repo, previous, verdict, reason
FROM verdict_history
WHERE previous IS NOT NULL AND previous <> verdict
ORDER BY run_id DESC
LIMIT :limit
