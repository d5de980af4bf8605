-- The directory: shared keys, merges, mailing lists, suppression, repeats of the API.

-- The rules whose keys every writer stores: those in force, and those whose keys are being filled in.
ALTER TABLE directories ADD COLUMN key_rules jsonb NOT NULL DEFAULT '[["extRef"]]';
ALTER TABLE directories ADD COLUMN building jsonb NOT NULL DEFAULT '[]';

-- Contacts that carry a key which an older contact has: the next oldest gets it when that one lets go of it.
CREATE TABLE waiting_keys (
    dir     integer NOT NULL,
    key     bytea   NOT NULL,
    contact bigint  NOT NULL,
    PRIMARY KEY (dir, key, contact)
);

-- The loser's row stays as it was; `keys` are those that went over, `snapshot` what the winner was before and after,
-- and the lists that each was in.
CREATE TABLE merges (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dir        integer     NOT NULL,
    winner     bigint      NOT NULL,
    loser      bigint      NOT NULL,
    keys       bytea[]     NOT NULL,
    snapshot   jsonb       NOT NULL,
    by         text        NOT NULL,
    merged_at  timestamptz NOT NULL DEFAULT now(),
    undone_at  timestamptz,
    undone_by  text
);
CREATE INDEX merges_by_loser ON merges (loser, id);
CREATE INDEX merges_by_winner ON merges (winner, id);
CREATE INDEX contacts_by_winner ON contacts (merged_into) WHERE merged_into IS NOT NULL;

-- Whose transaction it was before its contact was merged away.
ALTER TABLE transactions ADD COLUMN recorded_for bigint;
CREATE INDEX transactions_by_recorded ON transactions (recorded_for) WHERE recorded_for IS NOT NULL;

CREATE TABLE mailing_lists (
    dir         integer     NOT NULL,
    id          text        NOT NULL,                 -- CG_…
    name        text        NOT NULL,
    of_document boolean     NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dir, id)
);

CREATE TABLE list_members (
    contact         bigint      NOT NULL,
    dir             integer     NOT NULL,
    list            text        NOT NULL,
    unsubscribed    boolean     NOT NULL DEFAULT false,
    unsubscribed_at timestamptz,
    joined_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dir, list, contact)
);
CREATE INDEX list_members_by_contact ON list_members (contact);

-- Who is not to come back: hashes, in each directory as match_keys with contact 0. `keys` are those of a directory.
CREATE TABLE suppressions (
    hash bytea       NOT NULL,                        -- of the user id
    dir  integer     NOT NULL,
    keys bytea[]     NOT NULL,
    at   timestamptz NOT NULL DEFAULT now(),
    by   text        NOT NULL,
    PRIMARY KEY (hash, dir)
);

-- What was taken away, counted; nothing in here says of whom.
CREATE TABLE erasures (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    by           text        NOT NULL,
    hash         bytea,                               -- of a suppression; NULL for a deletion
    contacts     integer     NOT NULL,
    transactions integer     NOT NULL,
    dead_letters integer     NOT NULL,
    memberships  integer     NOT NULL
);

-- Writes of the API that came with an Idempotency-Key, and the contact that each was answered with.
CREATE TABLE idempotency_keys (
    key     bytea  PRIMARY KEY,
    contact bigint NOT NULL,
    at      date   NOT NULL DEFAULT current_date
);

CREATE INDEX idempotency_keys_by_contact ON idempotency_keys (contact);

-- Hashes of the ids and addresses in a dead letter: for taking a person's letters away.
ALTER TABLE dead_letters ADD COLUMN subjects bytea[] NOT NULL DEFAULT '{}';
CREATE INDEX dead_letters_by_subject ON dead_letters USING gin (subjects);
