-- 1: the mail was uncertain before it was queued again, so its recipient may have it whatever its state says.
ALTER TABLE delivery ADD COLUMN may_have_it INTEGER NOT NULL DEFAULT 0;
-- When the rows of the issue's recipients were dropped; its totals stay.
ALTER TABLE issue ADD COLUMN pruned_at INTEGER;
