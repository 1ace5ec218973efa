-- 0002: the record as a chain, and its people by pseudonym.
--
-- Why it looks like this: each row's digest covers the row and the digest before it, so that none can be changed or
-- left out unnoticed. Rows name people by pseudonyms, whose meaning stands here alone: to forget somebody their row
-- here is deleted, and the chain still holds. The salt makes a pseudonym provable while it is here, and not to be
-- guessed once it is gone. What was written down before is copied over, chained and with pseudonyms, by the Python
-- step that runs in the same transaction: bot/storage/audit_copy.py.

CREATE TABLE persons (
    pseudonym TEXT NOT NULL PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('user', 'steam', 'staff')),
    value TEXT NOT NULL,
    salt BLOB NOT NULL,
    UNIQUE (guild_id, kind, value)
) STRICT;

DROP TRIGGER audit_is_never_updated;
DROP TRIGGER audit_is_never_deleted;
DROP INDEX audit_by_guild;
ALTER TABLE audit RENAME TO audit_before;

-- actor is a pseudonym, NULL where SkinDesk acted by itself. subject is user:<pseudonym>, steam:<pseudonym>, or
-- something that is nobody. digest is the SHA-256 of the digest before it and the row.
CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    digest BLOB NOT NULL
) STRICT;

-- One index for each way to ask for the newest rows, so that no answer costs more as the record grows.
CREATE INDEX audit_by_guild ON audit (guild_id, id);
CREATE INDEX audit_by_action ON audit (guild_id, action, id);
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_actor_and_action ON audit (actor, action, id);
CREATE INDEX audit_by_subject ON audit (guild_id, subject, id);
CREATE INDEX audit_by_subject_and_action ON audit (guild_id, subject, action, id);

-- Where somebody is named in the details: one for each of them.
CREATE INDEX audit_by_steam_id ON audit (json_extract(detail, '$.steam_id'))
WHERE json_extract(detail, '$.steam_id') IS NOT NULL;
CREATE INDEX audit_by_instead_of ON audit (json_extract(detail, '$.instead_of'))
WHERE json_extract(detail, '$.instead_of') IS NOT NULL;
CREATE INDEX audit_by_owner ON audit (json_extract(detail, '$.owner'))
WHERE json_extract(detail, '$.owner') IS NOT NULL;
CREATE INDEX audit_by_requester ON audit (json_extract(detail, '$.requester'))
WHERE json_extract(detail, '$.requester') IS NOT NULL;

CREATE TRIGGER audit_is_never_updated BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

-- When a request was made nobody's, at its requester's or owner's wish.
ALTER TABLE resends ADD COLUMN forgotten_at INTEGER;
