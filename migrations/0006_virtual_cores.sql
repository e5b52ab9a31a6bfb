-- Sampled weights of a parent that is not in the index, estimated from its children's: float32 values in the layout `core_key`, with the
-- relative error to be expected of them and the number of children they come from. Null where the children do not determine them.
ALTER TABLE t_virtual_parents ADD COLUMN core BLOB;
ALTER TABLE t_virtual_parents ADD COLUMN core_key TEXT;
ALTER TABLE t_virtual_parents ADD COLUMN core_error REAL;
ALTER TABLE t_virtual_parents ADD COLUMN core_from INTEGER;
