-- By which pattern and zone last_fired_at was counted, such as `0 7 * * MON Europe/Berlin`; NULL where the list had
-- none when the daemon last looked. Times of another pattern count from the moment it is first seen.
ALTER TABLE list ADD COLUMN schedule TEXT;
