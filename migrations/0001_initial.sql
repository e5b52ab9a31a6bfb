-- What the Hub said and what the bytes were (kept), and what was concluded from them (dropped and rebuilt).
-- Tables are private: their names begin with t_. The public views stand in src/store/views.ts and are made anew when they change.

-- A run of one stage. Counts are what `runs` shows.
CREATE TABLE t_runs (
  run_id INTEGER PRIMARY KEY AUTOINCREMENT,
  stage TEXT NOT NULL,
  status TEXT NOT NULL,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  repos_seen INTEGER NOT NULL DEFAULT 0,
  repos_new INTEGER NOT NULL DEFAULT 0,
  repos_changed INTEGER NOT NULL DEFAULT 0,
  repos_gone INTEGER NOT NULL DEFAULT 0,
  fingerprinted INTEGER NOT NULL DEFAULT 0,
  shared INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  edges INTEGER NOT NULL DEFAULT 0,
  verdicts INTEGER NOT NULL DEFAULT 0,
  requests_api INTEGER NOT NULL DEFAULT 0,
  requests_resolvers INTEGER NOT NULL DEFAULT 0,
  requests_pages INTEGER NOT NULL DEFAULT 0,
  requests_cdn INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX t_runs_stage ON t_runs (stage, run_id);

-- Where a crawl stands; the value is JSON and belongs to whoever wrote it.
CREATE TABLE t_cursors (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  saved_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Samples and summaries by content: repos with equal weight files share a row.
CREATE TABLE t_fingerprints (
  fingerprint_id INTEGER PRIMARY KEY,
  weights_key TEXT NOT NULL,
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  family TEXT NOT NULL,
  architecture TEXT NOT NULL,
  params INTEGER NOT NULL,
  dtype TEXT NOT NULL,
  format TEXT NOT NULL,
  summary TEXT NOT NULL,
  core BLOB NOT NULL,
  created_at TEXT NOT NULL,
  UNIQUE (weights_key, version)
) STRICT;

-- Apart from the summaries, so that reading those skips the megabytes.
CREATE TABLE t_samples (
  fingerprint_id INTEGER PRIMARY KEY REFERENCES t_fingerprints (fingerprint_id) ON DELETE CASCADE,
  blob BLOB NOT NULL
) STRICT;

-- One row a repo, keyed by what survives renames.
CREATE TABLE t_repos (
  hub_id TEXT PRIMARY KEY,
  repo TEXT NOT NULL,
  repo_folded TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  owner TEXT NOT NULL,
  family TEXT,
  sha TEXT,
  created_at TEXT NOT NULL,
  last_modified TEXT,
  downloads INTEGER NOT NULL,
  likes INTEGER NOT NULL,
  license TEXT,
  gated TEXT NOT NULL CHECK (gated IN ('no', 'auto', 'manual')),
  status TEXT NOT NULL DEFAULT 'pending',
  status_detail TEXT,
  -- from the fingerprint once there is one
  architecture TEXT,
  params INTEGER,
  dtype TEXT,
  format TEXT,
  fingerprint_id INTEGER REFERENCES t_fingerprints (fingerprint_id) ON DELETE SET NULL,
  -- hash over the weight files of this revision, and of the last revision whose files were known
  weights_key TEXT,
  last_weights_key TEXT,
  -- analyser versions that dealt with this revision; 0 = to do
  fingerprint_version INTEGER NOT NULL DEFAULT 0,
  claims_version INTEGER NOT NULL DEFAULT 0,
  -- what fingerprint_version and status were before the sha moved: they come back when the weights did not change
  carried_version INTEGER,
  carried_status TEXT,
  -- name at the top of its tree, from the last inference
  family_root TEXT,
  in_scope INTEGER NOT NULL DEFAULT 1,
  gone INTEGER NOT NULL DEFAULT 0,
  -- 1 when another repo took the name over and this one was not seen under a new one
  superseded INTEGER NOT NULL DEFAULT 0,
  first_run INTEGER NOT NULL,
  last_run INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX t_repos_name ON t_repos (repo_folded) WHERE superseded = 0;
-- Carries what lists of models are sorted and filtered by: thousands of look-ups by name then read the index alone.
CREATE INDEX t_repos_repo ON t_repos (repo, downloads, owner, gated) WHERE superseded = 0;
CREATE INDEX t_repos_short_name ON t_repos (name_folded, repo_folded) WHERE superseded = 0;
CREATE INDEX t_repos_owner ON t_repos (owner, repo) WHERE superseded = 0;
CREATE INDEX t_repos_downloads ON t_repos (downloads DESC, repo) WHERE superseded = 0;
CREATE INDEX t_repos_created ON t_repos (created_at, repo) WHERE superseded = 0;
CREATE INDEX t_repos_status ON t_repos (status, repo) WHERE superseded = 0;
CREATE INDEX t_repos_architecture ON t_repos (architecture) WHERE superseded = 0;
CREATE INDEX t_repos_fingerprint ON t_repos (fingerprint_id) WHERE fingerprint_id IS NOT NULL;
CREATE INDEX t_repos_root ON t_repos (family_root) WHERE superseded = 0;
CREATE INDEX t_repos_unseen ON t_repos (last_run) WHERE gone = 0 AND superseded = 0 AND in_scope = 1;
-- The queues: finished work lies beyond the version asked for and is never walked over.
CREATE INDEX t_repos_todo_fingerprint ON t_repos (fingerprint_version, hub_id)
  WHERE gone = 0 AND superseded = 0 AND in_scope = 1;
CREATE INDEX t_repos_todo_claims ON t_repos (claims_version, hub_id) WHERE gone = 0 AND superseded = 0;

-- The listing row as it came, JSON.
CREATE TABLE t_repo_facts (
  hub_id TEXT PRIMARY KEY REFERENCES t_repos (hub_id) ON DELETE CASCADE,
  facts TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Every name a repo was seen under.
CREATE TABLE t_names (
  repo_folded TEXT NOT NULL,
  hub_id TEXT NOT NULL REFERENCES t_repos (hub_id) ON DELETE CASCADE,
  repo TEXT NOT NULL,
  last_run INTEGER NOT NULL,
  PRIMARY KEY (repo_folded, hub_id)
) STRICT, WITHOUT ROWID;

-- Files of the repo's current revision.
CREATE TABLE t_files (
  hub_id TEXT NOT NULL REFERENCES t_repos (hub_id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  size INTEGER NOT NULL,
  oid TEXT,
  sha256 BLOB,
  PRIMARY KEY (hub_id, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX t_files_sha256 ON t_files (sha256, hub_id) WHERE sha256 IS NOT NULL;

-- What authors declared, in the order it was found. Names are repeated here, and in the derived tables below that the views show, because
-- SQLite cannot use an index through a view that is itself a join when it stands right of a LEFT JOIN.
CREATE TABLE t_claims (
  hub_id TEXT NOT NULL REFERENCES t_repos (hub_id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  repo TEXT NOT NULL,
  source TEXT NOT NULL,
  declared TEXT NOT NULL,
  raw TEXT NOT NULL,
  normalized TEXT,
  normalized_folded TEXT,
  relation TEXT,
  sha256 BLOB,
  hint INTEGER NOT NULL,
  resolved_repo TEXT,
  PRIMARY KEY (hub_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX t_claims_normalized ON t_claims (normalized_folded) WHERE normalized_folded IS NOT NULL;
CREATE INDEX t_claims_repo ON t_claims (repo, hint);
CREATE INDEX t_claims_resolved ON t_claims (resolved_repo) WHERE resolved_repo IS NOT NULL;
CREATE INDEX t_claims_unresolved ON t_claims (declared, repo) WHERE resolved_repo IS NULL AND hint = 0;

-- What went wrong and how many tries that has cost.
CREATE TABLE t_failures (
  hub_id TEXT NOT NULL REFERENCES t_repos (hub_id) ON DELETE CASCADE,
  stage TEXT NOT NULL,
  version INTEGER NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  exhausted INTEGER NOT NULL,
  retry_after TEXT,
  failed_at TEXT NOT NULL,
  first_code TEXT NOT NULL,
  first_message TEXT NOT NULL,
  first_at TEXT NOT NULL,
  PRIMARY KEY (hub_id, stage)
) STRICT, WITHOUT ROWID;
CREATE INDEX t_failures_code ON t_failures (stage, code);

-- Names of the graph: repos and virtual parents. Kept, so that a rename is one row and histories stay attached.
CREATE TABLE t_nodes (
  node_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  hub_id TEXT UNIQUE
) STRICT;

-- From here on: derived rows, replaced as a whole.
CREATE TABLE t_edges (
  child INTEGER NOT NULL REFERENCES t_nodes (node_id),
  parent INTEGER NOT NULL REFERENCES t_nodes (node_id),
  rank INTEGER NOT NULL,
  child_name TEXT NOT NULL,
  parent_name TEXT NOT NULL,
  relation TEXT NOT NULL,
  probability REAL NOT NULL,
  weight REAL,
  method TEXT NOT NULL,
  parent_kind TEXT NOT NULL CHECK (parent_kind IN ('repo', 'virtual')),
  PRIMARY KEY (child, rank, parent)
) STRICT, WITHOUT ROWID;
CREATE INDEX t_edges_child ON t_edges (child_name, rank);
CREATE INDEX t_edges_parent ON t_edges (parent_name, rank, relation, child_name);
CREATE INDEX t_edges_relation ON t_edges (relation, rank, child_name, parent_name);
-- For renames alone.
CREATE INDEX t_edges_parent_node ON t_edges (parent);

CREATE TABLE t_evidence (
  child INTEGER NOT NULL REFERENCES t_nodes (node_id),
  parent INTEGER NOT NULL REFERENCES t_nodes (node_id),
  position INTEGER NOT NULL,
  probe TEXT NOT NULL,
  outcome TEXT NOT NULL,
  value REAL,
  log_odds REAL NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (child, parent, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX t_evidence_parent ON t_evidence (parent);
CREATE INDEX t_evidence_probe ON t_evidence (probe, outcome);

-- The transitive closure over chosen parents, the shortest way. Kept as rows because SQLite cannot push `WHERE repo = ?` into a
-- recursive view: it would walk the whole Hub for each question.
CREATE TABLE t_ancestors (
  node_id INTEGER NOT NULL REFERENCES t_nodes (node_id),
  ancestor INTEGER NOT NULL REFERENCES t_nodes (node_id),
  depth INTEGER NOT NULL,
  PRIMARY KEY (node_id, ancestor)
) STRICT, WITHOUT ROWID;
CREATE INDEX t_ancestors_down ON t_ancestors (ancestor, depth, node_id);

CREATE TABLE t_families (
  node_id INTEGER PRIMARY KEY REFERENCES t_nodes (node_id),
  root INTEGER NOT NULL REFERENCES t_nodes (node_id),
  repo TEXT NOT NULL,
  root_name TEXT NOT NULL,
  depth INTEGER NOT NULL,
  family TEXT
) STRICT;
CREATE INDEX t_families_repo ON t_families (repo);
CREATE INDEX t_families_root ON t_families (root_name, depth, repo);
CREATE INDEX t_families_root_node ON t_families (root);
CREATE INDEX t_families_depth ON t_families (family, depth);

-- Counted once when families are rebuilt, not at each question.
CREATE TABLE t_roots (
  root INTEGER PRIMARY KEY REFERENCES t_nodes (node_id),
  family TEXT,
  models INTEGER NOT NULL,
  max_depth INTEGER NOT NULL
) STRICT;
CREATE INDEX t_roots_models ON t_roots (models DESC);

CREATE TABLE t_virtual_parents (
  node_id INTEGER PRIMARY KEY REFERENCES t_nodes (node_id),
  declared_label TEXT,
  children TEXT NOT NULL
) STRICT;

CREATE TABLE t_verdicts (
  node_id INTEGER PRIMARY KEY REFERENCES t_nodes (node_id),
  repo TEXT NOT NULL,
  verdict TEXT NOT NULL,
  declared TEXT NOT NULL,
  relation_declared TEXT,
  inferred TEXT NOT NULL,
  relation_inferred TEXT,
  probability REAL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX t_verdicts_repo ON t_verdicts (repo);
CREATE INDEX t_verdicts_verdict ON t_verdicts (verdict, repo);

CREATE TABLE t_counts (
  subject TEXT NOT NULL,
  label TEXT NOT NULL,
  models INTEGER NOT NULL,
  PRIMARY KEY (subject, label)
) STRICT, WITHOUT ROWID;

-- Histories: a row only where a run saw something else than the one before.
CREATE TABLE t_edge_history (
  child INTEGER NOT NULL REFERENCES t_nodes (node_id),
  parent INTEGER NOT NULL REFERENCES t_nodes (node_id),
  first_run INTEGER NOT NULL,
  relation TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  -- the run that no longer found it; null while it stands
  last_run INTEGER,
  last_seen TEXT,
  PRIMARY KEY (child, parent, first_run)
) STRICT, WITHOUT ROWID;
CREATE INDEX t_edge_history_first ON t_edge_history (first_seen);
CREATE INDEX t_edge_history_first_run ON t_edge_history (first_run);
CREATE INDEX t_edge_history_last_run ON t_edge_history (last_run) WHERE last_run IS NOT NULL;
CREATE INDEX t_edge_history_standing ON t_edge_history (child, parent) WHERE last_run IS NULL;

CREATE TABLE t_verdict_history (
  node_id INTEGER NOT NULL REFERENCES t_nodes (node_id),
  run_id INTEGER NOT NULL,
  at TEXT NOT NULL,
  verdict TEXT NOT NULL,
  previous TEXT,
  inferred TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (node_id, run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX t_verdict_history_run ON t_verdict_history (run_id);
CREATE INDEX t_verdict_history_at ON t_verdict_history (at);
