-- How deep the trees are
-- Models by their distance from the root.
SELECT CAST(label AS INTEGER) AS depth, models
FROM counts
WHERE subject = 'depth'
ORDER BY depth
