-- Queries of adapters/postgres/reading.py, each under its name.

-- name: directories
-- Counting is the dear part: one index-only pass over contacts_by_dir and the rows' merged_into.
SELECT d.id, d.name, count(c.id) AS contacts
FROM directories d LEFT JOIN contacts c ON c.dir = d.dir AND c.merged_into IS NULL
GROUP BY d.dir, d.id, d.name ORDER BY d.dir

-- name: contact
-- $1 number, $2 directory or NULL. Winners may have lost in turn, so the chain is followed to its end.
WITH RECURSIVE chain AS (
    SELECT id, merged_into, 0 AS depth FROM contacts WHERE id = $1
    UNION ALL
    SELECT c.id, c.merged_into, depth + 1 FROM chain JOIN contacts c ON c.id = chain.merged_into WHERE depth < 100
)
SELECT c.*, d.id AS directory
FROM chain JOIN contacts c ON c.id = chain.id JOIN directories d ON d.dir = c.dir
WHERE chain.merged_into IS NULL AND ($2::text IS NULL OR d.id = $2)

-- name: contacts
-- $1 directory, $2 after, $3 limit. Walks contacts_by_dir: with "dir =" and ORDER BY id the planner may walk the
-- primary key instead, which for a small directory beside a large one reads the large one.
WITH d AS MATERIALIZED (SELECT dir FROM directories WHERE id = $1)
SELECT c.*, $1::text AS directory
FROM contacts c
WHERE (c.dir, c.id) > ((SELECT dir FROM d), $2::bigint) AND c.dir <= (SELECT dir FROM d) AND c.merged_into IS NULL
ORDER BY c.dir, c.id LIMIT $3

-- name: search
-- $1 directory or NULL, $2 after, $3 limit; the criteria and their values are appended by the caller.
-- LATERAL, so that each directory is asked by its own index.
SELECT found.*, d.id AS directory
FROM directories d CROSS JOIN LATERAL (
    SELECT c.* FROM contacts c
    WHERE c.dir = d.dir AND c.id > $2 AND c.merged_into IS NULL {criteria}
    ORDER BY c.id LIMIT $3
) found
WHERE $1::text IS NULL OR d.id = $1
ORDER BY found.id LIMIT $3

-- name: transactions_first
-- $1 contact, $2 limit. Walks transactions_by_contact.
SELECT key, contact, date, data, mailing_list, source, mapping, message_id, revision
FROM transactions WHERE contact = $1
ORDER BY date, key LIMIT $2

-- name: transactions_after
-- $1 contact, $2 limit, $3 date and $4 key of the last one seen. A query of its own: the row comparison bounds the walk.
SELECT key, contact, date, data, mailing_list, source, mapping, message_id, revision
FROM transactions WHERE contact = $1 AND (date, key) > ($3, $4)
ORDER BY date, key LIMIT $2

-- name: transaction
-- $1 contact, $2 and $3 the least and the greatest key behind a public id. Walks the primary key.
SELECT key, contact, date, data, mailing_list, source, mapping, message_id, revision
FROM transactions WHERE key BETWEEN $2 AND $3 AND contact = $1 ORDER BY key LIMIT 1

-- name: ledger
SELECT service, topic, source, sum(applied)::bigint AS applied, sum(dead)::bigint AS dead,
    sum(no_match)::bigint AS no_match, sum(disabled)::bigint AS disabled, sum("null")::bigint AS "null",
    sum(own)::bigint AS own, sum(hops)::bigint AS hops, sum(suppressed)::bigint AS suppressed,
    sum(too_old)::bigint AS too_old, sum(expired)::bigint AS expired, sum(holes)::bigint AS holes
FROM ledger GROUP BY service, topic, source ORDER BY service, topic, source

-- name: effects
SELECT service, topic, mapping, sum(emitted)::bigint AS emitted, sum(changed)::bigint AS changed,
    sum(repeated)::bigint AS repeated, sum(superseded)::bigint AS superseded,
    sum(suppressed)::bigint AS suppressed, sum(rejected)::bigint AS rejected
FROM ledger_effects GROUP BY service, topic, mapping ORDER BY service, topic, mapping

-- name: unaccounted
-- Offsets passed against records counted, of the topics' present incarnations: progress knows only those.
SELECT p.service, sum(p.next_offset - p.start_offset - coalesce(l.counted, 0))::bigint AS unaccounted
FROM progress p LEFT JOIN (
    SELECT service, topic, topic_id, partition, sum(applied + dead + no_match + disabled + "null" + own + hops
        + suppressed + too_old + expired + holes)::bigint AS counted
    FROM ledger GROUP BY service, topic, topic_id, partition
) l USING (service, topic, topic_id, partition)
GROUP BY p.service ORDER BY p.service

-- name: dead_letters
-- $1 mapping, $2 code, $3 source, each or NULL, $4 limit. Newest first.
SELECT id, service, topic, partition, "offset", mapping, code, reason, source, message_id, state, received, revision
FROM dead_letters
WHERE ($1::text IS NULL OR mapping = $1) AND ($2::text IS NULL OR code = $2) AND ($3::text IS NULL OR source = $3)
ORDER BY id DESC LIMIT $4

-- name: dead_letter
SELECT id, service, topic, partition, "offset", mapping, code, reason, source, message_id, state, received, revision,
    headers, key, value
FROM dead_letters WHERE id = $1

-- name: processes
SELECT instance, service, revision, state, reason, since, seen_at, details FROM processes ORDER BY service, instance

-- name: progress
SELECT service, topic, partition, topic_id, epoch, owner, start_offset, next_offset
FROM progress ORDER BY service, topic, partition
