-- The largest family trees
-- Roots by the number of models below them; virtual roots are parents that are not in the index.
-- @param limit=50 rows at most
SELECT root, family, models - 1 AS descendants, max_depth
FROM roots
ORDER BY models DESC
LIMIT :limit
