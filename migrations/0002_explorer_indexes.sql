-- Verdicts that changed, without walking over the first ones: a first run leaves one row a model, and "what flipped" asks for none of them.
CREATE INDEX t_verdict_history_flips ON t_verdict_history (run_id, node_id) WHERE previous IS NOT NULL;
