-- How quickly mails go: what a restart must not forget. Names are 'relay:NAME' or 'domain:PROVIDER', times Unix
-- milliseconds.

-- A measure while it is used.
CREATE TABLE measure (
    name        TEXT    NOT NULL PRIMARY KEY,
    -- When the next mail is due by the measure alone.
    due_at      INTEGER,
    -- Learnt from complaints, in messages a minute, and the rate at which they began.
    learnt      REAL,
    learnt_from REAL,
    saved_at    INTEGER NOT NULL,
    -- 1: written by an orderly stop; nothing went out since.
    is_final    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The author's word, which holds in place of the settings until it is taken back: messages a minute, 0 without limit.
CREATE TABLE speed (
    name       TEXT    NOT NULL PRIMARY KEY,
    per_minute INTEGER NOT NULL,
    since      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a relay that is warmed up may have been given on a day (of UTC, counted from 1970): written before it goes
-- out, so that a kill can only make it less.
CREATE TABLE warm_up (
    relay TEXT    NOT NULL,
    day   INTEGER NOT NULL,
    given INTEGER NOT NULL,
    PRIMARY KEY (relay, day)
) STRICT, WITHOUT ROWID;
