-- Who answers prompts most like a model
-- Of models compared by `phylolm --save`: their behaviour, which is not their lineage, beside the rank the weights give them as its parent.
-- @param repo the model
-- @param limit=20 rows
SELECT b.other, b.similarity, b.shared_prompts, e.rank AS rank_as_parent, e.probability, m.status, b.source, b.compared_at
FROM behaviour b
LEFT JOIN edges e ON e.child = b.repo AND e.parent = b.other
LEFT JOIN models m ON m.repo = b.other
WHERE b.repo = :repo
ORDER BY b.shared_prompts < 32, b.similarity DESC, b.other
LIMIT :limit
