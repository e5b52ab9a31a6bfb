-- Models whose licence is not that of their root
-- Most downloaded first. A fact for readers, not a judgement.
-- @param limit=50 rows at most
SELECT m.repo, m.license, m.family_root AS root, r.license AS root_license, m.downloads
FROM models m
JOIN models r ON r.repo = m.family_root
WHERE m.license IS NOT NULL AND r.license IS NOT NULL AND m.license <> r.license
ORDER BY m.downloads DESC
LIMIT :limit
