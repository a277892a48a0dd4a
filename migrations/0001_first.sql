-- Times are Unix milliseconds. States are numbers, named in src/model/.

CREATE TABLE list (
    id            INTEGER PRIMARY KEY,
    key           TEXT    NOT NULL UNIQUE,
    -- The last time of the schedule that was acted upon; moved by compare-and-set.
    last_fired_at INTEGER,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE subscriber (
    -- Never given twice, even after a row is deleted: links in old mails name it.
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    email      TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    name       TEXT    NOT NULL DEFAULT '',
    -- Words separated by commas, sorted.
    tags       TEXT    NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE subscription (
    list_id          INTEGER NOT NULL REFERENCES list (id),
    subscriber_id    INTEGER NOT NULL REFERENCES subscriber (id),
    state            INTEGER NOT NULL,
    -- Since when it is in this state.
    since            INTEGER NOT NULL,
    -- When the last confirmation mail was queued.
    asked_at         INTEGER,
    PRIMARY KEY (list_id, subscriber_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_of_subscriber ON subscription (subscriber_id);

-- What was agreed, when, how and from where; only ever added to.
CREATE TABLE consent (
    id            INTEGER PRIMARY KEY,
    subscriber_id INTEGER NOT NULL,
    list_id       INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    -- asked, confirmed, imported, added, left, undone
    event         TEXT    NOT NULL,
    -- form, json, command, import, page, one-click
    how           TEXT    NOT NULL,
    -- The network it came from, no finer than /24 or /48.
    network       TEXT
) STRICT;
CREATE INDEX consent_of_subscriber ON consent (subscriber_id);

-- Addresses that are never mailed again; outlives the subscriber.
CREATE TABLE suppression (
    email  TEXT    NOT NULL PRIMARY KEY COLLATE NOCASE,
    reason TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE issue (
    -- Never used again, even where an issue that reached nobody makes room for another.
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    list_id       INTEGER NOT NULL REFERENCES list (id),
    slug          TEXT    NOT NULL,
    number        INTEGER,
    title         TEXT    NOT NULL,
    -- The file it was read from, as an absolute path.
    file          TEXT    NOT NULL,
    -- scheduled, sending, paused, done, cancelled, held
    state         TEXT    NOT NULL,
    -- Why it is paused, held or waiting; NULL where there is nothing to say.
    reason        TEXT,
    -- schedule or author
    queued_by     TEXT    NOT NULL,
    queued_at     INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    started_at    INTEGER,
    ended_at      INTEGER,
    -- The audience is written in subscriber order; NULL once it is whole.
    fanout_after  INTEGER DEFAULT 0,
    -- How many people are in each state, kept by a trigger of the ledger; zero until the audience is whole.
    queued        INTEGER NOT NULL DEFAULT 0,
    sending       INTEGER NOT NULL DEFAULT 0,
    deferred      INTEGER NOT NULL DEFAULT 0,
    sent          INTEGER NOT NULL DEFAULT 0,
    failed        INTEGER NOT NULL DEFAULT 0,
    uncertain     INTEGER NOT NULL DEFAULT 0,
    cancelled     INTEGER NOT NULL DEFAULT 0,
    skipped       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX issue_of_list ON issue (list_id, slug);

-- model::rendered::Rendered as JSON; its version is inside. Apart from the issue's row, which changes with each
-- mail and would carry this along.
CREATE TABLE issue_rendered (
    issue_id INTEGER PRIMARY KEY REFERENCES issue (id),
    rendered TEXT    NOT NULL
) STRICT;

-- The ledger: a row a person and issue, written before anything is sent.
CREATE TABLE delivery (
    issue_id      INTEGER NOT NULL,
    subscriber_id INTEGER NOT NULL,
    -- model::delivery::State
    state         INTEGER NOT NULL,
    -- Counts the claims; whoever holds the number owns the row.
    attempt       INTEGER NOT NULL DEFAULT 0,
    -- When a deferred one is due again.
    next_at       INTEGER,
    -- When the first attempt was made, and the last change.
    first_at      INTEGER,
    at            INTEGER,
    code          INTEGER,
    reply         TEXT,
    relay         TEXT,
    PRIMARY KEY (issue_id, subscriber_id)
) STRICT, WITHOUT ROWID;
-- Used only by queries that repeat the predicate word for word.
CREATE INDEX delivery_live ON delivery (issue_id, state, next_at, subscriber_id) WHERE state IN (0, 3);

-- Whoever moves a row moves the totals: they can't differ from what the rows say.
CREATE TRIGGER delivery_moved AFTER UPDATE OF state ON delivery WHEN new.state <> old.state
BEGIN
    UPDATE issue SET
        queued    = queued    + (new.state = 0) - (old.state = 0),
        sending   = sending   + (new.state = 1) - (old.state = 1),
        sent      = sent      + (new.state = 2) - (old.state = 2),
        deferred  = deferred  + (new.state = 3) - (old.state = 3),
        failed    = failed    + (new.state = 4) - (old.state = 4),
        uncertain = uncertain + (new.state = 5) - (old.state = 5),
        cancelled = cancelled + (new.state = 6) - (old.state = 6),
        skipped   = skipped   + (new.state = 7) - (old.state = 7)
    WHERE id = new.issue_id;
END;

-- Confirmation mails and their like; the same states and moves as the ledger.
CREATE TABLE system_mail (
    id            INTEGER PRIMARY KEY,
    -- confirm
    kind          TEXT    NOT NULL,
    list_id       INTEGER NOT NULL REFERENCES list (id),
    subscriber_id INTEGER NOT NULL REFERENCES subscriber (id),
    rendered      TEXT    NOT NULL,
    state         INTEGER NOT NULL,
    attempt       INTEGER NOT NULL DEFAULT 0,
    queued_at     INTEGER NOT NULL,
    next_at       INTEGER,
    first_at      INTEGER,
    at            INTEGER,
    code          INTEGER,
    reply         TEXT,
    relay         TEXT
) STRICT;
CREATE INDEX system_mail_live ON system_mail (state, next_at) WHERE state IN (0, 3);
CREATE INDEX system_mail_of_subscriber ON system_mail (subscriber_id);

-- Pictures of issues, named by their content.
CREATE TABLE media (
    hash  TEXT NOT NULL PRIMARY KEY,
    ext   TEXT NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE issue_media (
    issue_id INTEGER NOT NULL REFERENCES issue (id),
    hash     TEXT    NOT NULL REFERENCES media (hash),
    PRIMARY KEY (issue_id, hash)
) STRICT, WITHOUT ROWID;

-- Keys of signed links. The newest signs; all verify.
CREATE TABLE link_key (
    id         INTEGER PRIMARY KEY,
    secret     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Which pair of DKIM keys a domain signs with.
CREATE TABLE dkim_selector (
    domain     TEXT    NOT NULL PRIMARY KEY,
    selector   TEXT    NOT NULL,
    since      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
