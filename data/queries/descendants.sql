-- All descendants of a model
-- Nearest first, with the relation to their own chosen parent.
-- @param repo the model at the top
-- @param limit=1000 rows at most
SELECT a.repo, a.depth, e.relation, e.parent
FROM ancestors a
LEFT JOIN edges e ON e.child = a.repo AND e.rank = 1
WHERE a.ancestor = :repo
ORDER BY a.depth
LIMIT :limit
