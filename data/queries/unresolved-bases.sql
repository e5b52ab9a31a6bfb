-- Declared bases that are not on the Hub
-- What is declared most often without naming a repo in the index.
-- @param limit=50 rows at most
SELECT declared, count(*) AS models
FROM (SELECT DISTINCT declared, repo FROM declared_bases WHERE resolved_repo IS NULL)
GROUP BY declared
ORDER BY models DESC, declared
LIMIT :limit
