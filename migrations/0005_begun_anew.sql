-- How often an issue's author had it begin anew, by a resume or a retry: whoever reads its queue then begins anew too.
ALTER TABLE issue ADD COLUMN begun_anew INTEGER NOT NULL DEFAULT 0;
