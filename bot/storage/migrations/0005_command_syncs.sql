-- 0005: which commands Discord was told last, so that a start tells it only what changed.
--
-- Why it looks like this: commands are registered per application, everywhere or in one guild, and that is the scope;
-- the digest is all that is compared.

CREATE TABLE command_syncs (
    scope TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL
) STRICT;
