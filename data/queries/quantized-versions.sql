-- Quantised versions of a model
-- Direct ones, most downloaded first, with their formats.
-- @param repo the model
-- @param limit=200 rows at most
SELECT q.repo, m.dtype, m.format, q.downloads, e.probability
FROM (
  SELECT e.child AS repo, c.downloads
  FROM edges e
  JOIN models c ON c.repo = e.child
  WHERE e.parent = :repo AND e.relation = 'quantized' AND e.rank = 1
  ORDER BY c.downloads DESC, e.child
  LIMIT :limit
) q
JOIN models m ON m.repo = q.repo
JOIN edges e ON e.child = q.repo AND e.rank = 1 AND e.parent = :repo
ORDER BY q.downloads DESC, q.repo
