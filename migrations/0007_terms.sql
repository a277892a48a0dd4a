-- Each column is called what the program calls it.
ALTER TABLE issue RENAME COLUMN begun_anew TO rescans;
