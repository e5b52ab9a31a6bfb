-- Comparisons of models by how they answer prompts (PhyloLM), kept on request. They are facts about completions somebody has: an inference
-- neither makes nor loses them, and no edge, probability or verdict is made from them.
CREATE TABLE t_behaviour_runs (
  behaviour_run INTEGER PRIMARY KEY AUTOINCREMENT,
  compared_at TEXT NOT NULL,
  -- host that was asked, or name of the file of completions
  source TEXT NOT NULL,
  models INTEGER NOT NULL,
  prompts INTEGER NOT NULL,
  -- sha256 over the prompts: distances from other prompts are not the same measurement
  prompts_hash TEXT NOT NULL,
  completions INTEGER NOT NULL
) STRICT;

-- The standing comparison of each pair, the newest; one row from either side, so that one look-up finds all of a model.
CREATE TABLE t_behaviour (
  node_id INTEGER NOT NULL REFERENCES t_nodes (node_id),
  other INTEGER NOT NULL REFERENCES t_nodes (node_id),
  behaviour_run INTEGER NOT NULL REFERENCES t_behaviour_runs (behaviour_run),
  similarity REAL NOT NULL,
  distance REAL NOT NULL,
  -- prompts both answered, and the completions of each to these
  shared_prompts INTEGER NOT NULL,
  completions INTEGER NOT NULL,
  other_completions INTEGER NOT NULL,
  PRIMARY KEY (node_id, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX t_behaviour_run ON t_behaviour (behaviour_run);
