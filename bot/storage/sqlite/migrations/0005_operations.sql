-- 0005: which desk the file belongs to, so that a start can tell another or a new database from the one before.

-- A copy has the id of its database, and so has a restored one: it is the same desk. created_at of a database from
-- before this version is its first audit row's. probed_at is when the health check last wrote. Resends sent before
-- incomplete_until may be missing here: the file was restored, or it is new where there was one before. So a server
-- that gets its first grants after that has its resends paused.
CREATE TABLE desk (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    database_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    probed_at INTEGER,
    incomplete_until INTEGER
) STRICT;

INSERT INTO desk (only_row, database_id, created_at)
VALUES (
    1,
    lower(hex(randomblob(16))),
    coalesce((SELECT at FROM audit ORDER BY id LIMIT 1), CAST(strftime('%s', 'now') AS INTEGER) * 1000)
);
