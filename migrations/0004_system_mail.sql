-- The oldest first, without sorting all that wait; and what a dead daemon had in flight, without reading all that went.
CREATE INDEX system_mail_waiting ON system_mail (id) WHERE state IN (0, 3);
CREATE INDEX system_mail_in_flight ON system_mail (state) WHERE state = 1;
