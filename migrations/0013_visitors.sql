-- Pictures in parts of 65,536 bytes, the last one shorter: a visitor is sent one part after the other, and none needs the
-- whole picture in memory.
CREATE TABLE media_part (
    hash  TEXT    NOT NULL REFERENCES media (hash),
    part  INTEGER NOT NULL,
    bytes BLOB    NOT NULL,
    PRIMARY KEY (hash, part)
) STRICT;
INSERT INTO media_part (hash, part, bytes)
    WITH RECURSIVE cut (hash, part, parts) AS (
        SELECT hash, 0, (length(bytes) + 65535) / 65536 FROM media WHERE length(bytes) > 0
        UNION ALL
        SELECT hash, part + 1, parts FROM cut WHERE part + 1 < parts
    )
    SELECT cut.hash, part, substr(bytes, part * 65536 + 1, 65536) FROM cut JOIN media ON media.hash = cut.hash;
ALTER TABLE media ADD COLUMN size_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE media SET size_bytes = length(bytes);
ALTER TABLE media DROP COLUMN bytes;

-- Sign-ups that were not confirmed yet, the oldest first; 0 is pending.
CREATE INDEX subscription_pending ON subscription (list_id, asked_at) WHERE state = 0 AND asked_at IS NOT NULL;
-- Confirmation mails that are over and still carry their content.
CREATE INDEX system_mail_over ON system_mail (at) WHERE state NOT IN (0, 1, 3) AND rendered <> '';
