-- Which database this is, and how much it has done, so that a copy of it is never taken for it. One row, written when the
-- database is first opened; the companion file beside the database holds the same.
CREATE TABLE origin (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    -- Random; another one after each restore.
    identity   TEXT    NOT NULL,
    -- Grows with every write; the claims of the ledger are counted in issue.claims.
    generation INTEGER NOT NULL DEFAULT 0,
    -- When `backup` made this copy; NULL in a database that is in use.
    copied_at  INTEGER
) STRICT;

-- How many mails of the issue were claimed, ever.
ALTER TABLE issue ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;
-- 1: the database was restored, and what this list's schedule would send may have been sent since the copy was made.
ALTER TABLE list ADD COLUMN hold_schedule INTEGER NOT NULL DEFAULT 0;

-- The totals as before, and the claims with them: no row more is written for that.
DROP TRIGGER delivery_moved;
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
        skipped   = skipped   + (new.state = 7) - (old.state = 7),
        claims    = claims    + (new.attempt > old.attempt)
    WHERE id = new.issue_id;
END;
