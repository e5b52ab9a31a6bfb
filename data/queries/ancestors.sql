-- Where a model comes from
-- Every ancestor, nearest first, with its licence.
-- @param repo the model
SELECT a.ancestor, a.depth, m.architecture, m.license, m.created_at
FROM ancestors a
LEFT JOIN models m ON m.repo = a.ancestor
WHERE a.repo = :repo
ORDER BY a.depth, a.ancestor
