-- Families whose base is missing
-- Trees that hang from a virtual parent: a base that was deleted, is gated, or never published.
-- @param limit=50 rows at most
SELECT root, family, models - 1 AS descendants, max_depth
FROM roots
WHERE root LIKE 'virtual/%'
ORDER BY models DESC
LIMIT :limit
