-- Siblings of a model
-- Other models made from the same parent.
-- @param repo the model
-- @param limit=200 rows at most
SELECT s.child AS repo, s.relation, s.parent
FROM edges e
JOIN edges s ON s.parent = e.parent AND s.rank = 1
WHERE e.child = :repo AND e.rank = 1 AND s.child <> :repo
LIMIT :limit
