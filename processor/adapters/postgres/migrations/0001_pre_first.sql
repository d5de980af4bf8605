-- The first schema: the log's fence, the ledger, the directory, dead letters, revisions, processes.

CREATE TABLE revisions (
    number      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document    text        NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    applied_by  text        NOT NULL,
    note        text        NOT NULL DEFAULT ''
);

-- One row a running process, renewed every two seconds: which revision it has taken, and how it is.
CREATE TABLE processes (
    instance    text        NOT NULL,
    service     text        NOT NULL,
    revision    integer     NOT NULL,
    state       text        NOT NULL,              -- starting | running | standby | waiting | paused
    reason      text        NOT NULL DEFAULT '',
    since       timestamptz NOT NULL DEFAULT now(),
    seen_at     timestamptz NOT NULL DEFAULT now(),
    details     jsonb       NOT NULL DEFAULT '{}',
    PRIMARY KEY (instance, service)
);

-- A service that stopped itself, or was stopped by a person, for one revision.
CREATE TABLE pauses (
    service     text        PRIMARY KEY,
    revision    integer     NOT NULL,
    reason      text        NOT NULL,
    since       timestamptz NOT NULL DEFAULT now(),
    resumed     boolean     NOT NULL DEFAULT false
);

-- Where each service stands in each partition: the truth, of which Kafka's committed offset is a copy for monitors.
CREATE TABLE progress (
    service      text    NOT NULL,
    topic        text    NOT NULL,
    partition    integer NOT NULL,
    topic_id     uuid    NOT NULL,
    epoch        bigint  NOT NULL,
    owner        text    NOT NULL,
    start_offset bigint  NOT NULL,
    next_offset  bigint  NOT NULL,
    PRIMARY KEY (service, topic, partition)
) WITH (fillfactor = 50);

-- Each record once per service. `expired` and `holes` stand in the row whose source is empty.
CREATE TABLE ledger (
    service    text    NOT NULL,
    topic      text    NOT NULL,
    topic_id   uuid    NOT NULL,
    partition  integer NOT NULL,
    source     text    NOT NULL,
    applied    bigint  NOT NULL DEFAULT 0,
    dead       bigint  NOT NULL DEFAULT 0,
    no_match   bigint  NOT NULL DEFAULT 0,
    disabled   bigint  NOT NULL DEFAULT 0,
    "null"     bigint  NOT NULL DEFAULT 0,
    own        bigint  NOT NULL DEFAULT 0,
    hops       bigint  NOT NULL DEFAULT 0,
    suppressed bigint  NOT NULL DEFAULT 0,
    too_old    bigint  NOT NULL DEFAULT 0,
    expired    bigint  NOT NULL DEFAULT 0,
    holes      bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (service, topic, topic_id, partition, source)
) WITH (fillfactor = 50);

-- Effects, apart from records: emitted = changed + repeated + superseded + suppressed + rejected.
CREATE TABLE ledger_effects (
    service    text    NOT NULL,
    topic      text    NOT NULL,
    topic_id   uuid    NOT NULL,
    partition  integer NOT NULL,
    source     text    NOT NULL,
    mapping    text    NOT NULL,
    emitted    bigint  NOT NULL DEFAULT 0,
    changed    bigint  NOT NULL DEFAULT 0,
    repeated   bigint  NOT NULL DEFAULT 0,
    superseded bigint  NOT NULL DEFAULT 0,
    suppressed bigint  NOT NULL DEFAULT 0,
    rejected   bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (service, topic, topic_id, partition, source, mapping)
) WITH (fillfactor = 50);

CREATE TABLE directories (
    dir  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id   text NOT NULL UNIQUE,                     -- POOL_…
    name text NOT NULL
);

CREATE SEQUENCE contact_ids AS bigint INCREMENT BY 1000;

CREATE TABLE contacts (
    id           bigint      PRIMARY KEY,          -- the public CID_ is another spelling of it
    dir          integer     NOT NULL,
    ext_ref      text,
    email        text,
    phone        text,
    first_name   text,
    last_name    text,
    language     text,
    unsubscribed boolean,
    embedded     jsonb       NOT NULL DEFAULT '{}',
    why          json        NOT NULL,             -- who made it, and which event wrote each field
    created_at   timestamptz NOT NULL DEFAULT now(),
    modified_at  timestamptz NOT NULL DEFAULT now(),
    merged_into  bigint
) WITH (fillfactor = 80);
-- A hash, because search asks for equality only, and a btree of addresses cost a third of writing a new contact.
CREATE INDEX contacts_by_email ON contacts USING hash (lower(btrim(email)));
CREATE INDEX contacts_by_dir ON contacts (dir, id);

-- A merge rule's fields and their normalised values, hashed, to the contact that carries them.
CREATE TABLE match_keys (
    dir     integer NOT NULL,
    key     bytea   NOT NULL,
    contact bigint,
    prev    bigint,
    PRIMARY KEY (dir, key)
) WITH (fillfactor = 90);

-- What was done is remembered here for longer than the history below is kept.
CREATE TABLE effect_keys (
    key bytea PRIMARY KEY,
    at  date  NOT NULL DEFAULT current_date
);

CREATE TABLE transactions (
    key          bytea       PRIMARY KEY,          -- the effect key; the public CTR_ is another spelling of it
    dir          integer     NOT NULL,
    contact      bigint      NOT NULL,
    date         timestamptz NOT NULL,
    data         jsonb       NOT NULL,
    mailing_list text,
    source       text        NOT NULL,
    mapping      text        NOT NULL,
    message_id   text        NOT NULL,
    revision     integer     NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX transactions_by_contact ON transactions (contact, date, key);
CREATE INDEX transactions_by_message ON transactions (message_id);

CREATE TABLE dead_letters (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service    text        NOT NULL,
    topic      text        NOT NULL,
    topic_id   uuid        NOT NULL,
    partition  integer     NOT NULL,
    "offset"   bigint      NOT NULL,
    mapping    text        NOT NULL,               -- empty: the record itself was refused
    code       text        NOT NULL,
    reason     text        NOT NULL,
    source     text        NOT NULL,
    message_id text        NOT NULL,
    headers    jsonb       NOT NULL,
    key        bytea,
    value      bytea,
    received   timestamptz NOT NULL,
    revision   integer     NOT NULL,
    state      text        NOT NULL DEFAULT 'open',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (service, topic_id, partition, "offset", mapping)
);
CREATE INDEX dead_letters_by_message ON dead_letters (message_id);
CREATE INDEX dead_letters_open ON dead_letters (id) WHERE state = 'open';
