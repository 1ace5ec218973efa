-- 0006: views leave the audit log after a year; what stays of them still fits the chain.

-- Views alone have a salt. Their digest covers number, time and a salted digest of everything else, so that everything
-- else can be removed and not be guessed. A row without a salt can never be removed.
ALTER TABLE audit ADD COLUMN salt BLOB;

CREATE INDEX audit_views ON audit (at) WHERE salt IS NOT NULL;

-- What is left of a removed view. removal is the number of the row that says so.
CREATE TABLE removed_views (
    id INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    content BLOB NOT NULL,
    digest BLOB NOT NULL,
    removal INTEGER NOT NULL
) STRICT;

DROP TRIGGER audit_is_never_deleted;

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
WHEN old.salt IS NULL OR NOT EXISTS (SELECT 1 FROM removed_views WHERE id = old.id AND digest = old.digest)
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

CREATE TRIGGER removed_views_are_never_updated BEFORE UPDATE ON removed_views
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

CREATE TRIGGER removed_views_are_never_deleted BEFORE DELETE ON removed_views
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
