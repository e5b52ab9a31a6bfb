-- Edges found lately
-- Chosen edges first seen in the last days, newest first.
-- @param days=7 how far back
-- @param limit=200 rows at most
SELECT child, parent, relation, first_seen
FROM edge_history
WHERE first_seen >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || :days || ' days') AND last_run IS NULL
ORDER BY first_seen DESC
LIMIT :limit
