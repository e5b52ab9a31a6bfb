-- The most copied models
-- Models by the number of repos that hold the same values.
-- @param limit=50 rows at most
SELECT parent AS repo, count(*) AS copies
FROM edges
WHERE relation = 'duplicate' AND rank = 1
GROUP BY parent
ORDER BY copies DESC, parent
LIMIT :limit
