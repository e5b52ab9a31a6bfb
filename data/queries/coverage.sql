-- How much of the index has been read
-- Models by status, counted at the last inference.
SELECT label AS status, models, round(100.0 * models / sum(models) OVER (), 1) AS percent
FROM counts
WHERE subject = 'status'
ORDER BY models DESC, status
