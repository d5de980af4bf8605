-- Queries of adapters/postgres/lists.py, each under its name.

-- name: mailing_lists
-- $1 directory, $2 after, $3 limit. Walks the primary key; counting walks that of list_members. A contact that was
-- merged away is in no list: its winner is.
SELECT l.id, l.name, l.of_document, l.created_at, (
    SELECT count(*) FROM list_members m WHERE m.dir = l.dir AND m.list = l.id) AS members
FROM directories d JOIN mailing_lists l ON l.dir = d.dir
WHERE d.id = $1 AND l.id > $2
ORDER BY l.id LIMIT $3

-- name: mailing_list
-- $1 directory, $2 list.
SELECT l.id, l.name, l.of_document, l.created_at, (
    SELECT count(*) FROM list_members m WHERE m.dir = l.dir AND m.list = l.id) AS members
FROM directories d JOIN mailing_lists l ON l.dir = d.dir
WHERE d.id = $1 AND l.id = $2

-- name: members
-- $1 directory, $2 list, $3 after, $4 limit. Walks the primary key of list_members.
SELECT c.*, d.id AS directory, m.unsubscribed AS opted_out, m.unsubscribed_at AS opted_out_at, m.joined_at
FROM directories d
    JOIN list_members m ON m.dir = d.dir AND m.list = $2 AND m.contact > $3
    JOIN contacts c ON c.id = m.contact
WHERE d.id = $1
ORDER BY m.contact LIMIT $4

-- name: member
-- $1 directory, $2 list, $3 contact. Winners may have lost in turn, so the chain is followed to its end.
WITH RECURSIVE chain AS (
    SELECT id, merged_into, 0 AS depth FROM contacts WHERE id = $3
    UNION ALL
    SELECT c.id, c.merged_into, depth + 1 FROM chain JOIN contacts c ON c.id = chain.merged_into WHERE depth < 100
)
SELECT c.*, d.id AS directory, m.unsubscribed AS opted_out, m.unsubscribed_at AS opted_out_at, m.joined_at
FROM chain
    JOIN contacts c ON c.id = chain.id
    JOIN directories d ON d.dir = c.dir
    JOIN list_members m ON m.dir = c.dir AND m.list = $2 AND m.contact = c.id
WHERE chain.merged_into IS NULL AND d.id = $1
