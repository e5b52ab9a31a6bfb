-- Merges that declare no base
-- Models whose weights are a mixture, with nothing declared about it.
-- @param limit=100 rows at most
SELECT e.child AS repo, count(*) AS parents, json_group_array(e.parent) AS inferred
FROM edges e
WHERE e.relation = 'merge' AND e.rank = 1
  AND NOT EXISTS (SELECT 1 FROM declared_bases d WHERE d.repo = e.child)
GROUP BY e.child
LIMIT :limit
