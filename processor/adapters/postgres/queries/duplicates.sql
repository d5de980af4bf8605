-- Queries of adapters/postgres/duplicates.py, each under its name.

-- name: waiting
-- $1 directories. Who carries a key that another contact has. Reads all of waiting_keys, which holds the exceptions;
-- the owners and the waiting by their primary keys.
SELECT d.id AS directory, w.key, o.id AS owner, c.id AS waiting,
    CASE WHEN (o.created_at, o.id) < (c.created_at, c.id) THEN o.id ELSE c.id END AS older,
    CASE WHEN (o.created_at, o.id) < (c.created_at, c.id) THEN c.id ELSE o.id END AS younger
FROM directories d
    JOIN waiting_keys w ON w.dir = d.dir
    JOIN match_keys m ON m.dir = w.dir AND m.key = w.key AND m.contact <> w.contact
    JOIN contacts o ON o.id = m.contact AND o.merged_into IS NULL
    JOIN contacts c ON c.id = w.contact AND c.merged_into IS NULL
WHERE d.id = ANY ($1::text[])
ORDER BY least(o.created_at, c.created_at), older, younger, w.key

-- name: merged_into
-- $1 winner. Walks merges_by_winner.
SELECT winner, loser, by, merged_at FROM merges WHERE winner = $1 AND undone_at IS NULL ORDER BY id DESC
