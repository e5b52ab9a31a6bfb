-- The best known models of a family, read off the index instead of sorting the family or walking the Hub. It answers what t_repos_root
-- answered too: the same first column, the same rows.
CREATE INDEX t_repos_family ON t_repos (family_root, downloads DESC, repo) WHERE superseded = 0;
DROP INDEX t_repos_root;
