-- What inference concluded about parts of the index, by a hash over everything it follows from: a night infers anew only what it touched.
-- Forgetting a row changes no result.
CREATE TABLE t_inference_memory (
  key TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
