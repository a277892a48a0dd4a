-- How quickly each server takes mails, as measured: the seconds that one mail keeps a connection busy.
CREATE TABLE relay_speed (
    -- The server, as host:port.
    server      TEXT PRIMARY KEY,
    mail_s      REAL NOT NULL,
    -- How many mails were measured; as many count as an average remembers.
    mails       INTEGER NOT NULL,
    measured_at INTEGER NOT NULL
) WITHOUT ROWID;
