-- What went wrong
-- Failures by stage and code, with an example.
SELECT stage, error_code, count(*) AS models, max(attempts) AS most_attempts, min(repo) AS example
FROM failures
GROUP BY stage, error_code
ORDER BY models DESC, stage, error_code
