-- Quantised versions of a model
-- Direct ones, with format and downloads.
-- @param repo the model
SELECT e.child AS repo, m.dtype, m.format, m.downloads, e.probability
FROM edges e
JOIN models m ON m.repo = e.child
WHERE e.parent = :repo AND e.relation = 'quantized' AND e.rank = 1
ORDER BY m.downloads DESC, e.child
