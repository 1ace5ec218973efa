-- 0002: the record as a chain, and its people by pseudonym.
--
-- Why it looks like this: each row's digest covers the row and the digest before it, so that none can be changed or
-- left out unnoticed. Rows name people by pseudonyms, whose meaning stands here alone: to forget somebody their row
-- here is deleted, and the chain still holds. The salt makes a pseudonym provable while it is here, and not to be
-- guessed once it is gone.

CREATE TABLE persons (
    pseudonym TEXT NOT NULL PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('user', 'steam', 'staff')),
    value INTEGER NOT NULL,
    salt BLOB NOT NULL,
    UNIQUE (guild_id, kind, value)
) STRICT;

-- When a request was made nobody's, at its requester's or owner's wish.
ALTER TABLE resends ADD COLUMN forgotten_at INTEGER;
