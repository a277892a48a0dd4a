-- With all that is asked of those who wait: a confirmation that waits for its time is passed over without being read, which
-- would take its content along.
DROP INDEX system_mail_waiting;
CREATE INDEX system_mail_waiting ON system_mail (id, state, next_at, list_id) WHERE state IN (0, 3);
