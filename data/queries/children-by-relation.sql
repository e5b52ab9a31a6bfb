-- What was made from a model, by relation
-- Direct children only.
-- @param repo the parent
SELECT e.relation, count(*) AS children
FROM edges e
WHERE e.parent = :repo AND e.rank = 1
GROUP BY e.relation
ORDER BY children DESC, e.relation
