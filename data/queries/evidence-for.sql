-- Why a model has the parent it has
-- Every finding about its candidates, chosen ones first, the weightiest first.
-- @param repo the model
SELECT v.parent, e.rank, v.probe, v.outcome, v.value, v.log_odds, v.detail
FROM edge_evidence v
LEFT JOIN edges e ON e.child = v.child AND e.parent = v.parent
WHERE v.child = :repo
ORDER BY e.rank IS NULL, e.rank, v.parent, abs(v.log_odds) DESC, v.probe
