-- 0004: what a day at the desk keeps: who looks at a card, watched trades, notes on customers, the facts of errors.

-- The role that is mentioned on a new card and at its reminder.
ALTER TABLE guilds ADD COLUMN approvals_role_id INTEGER;

-- Who is looking at a card since when, and the facts with which it was asked for: facts may be revised later.
ALTER TABLE resends ADD COLUMN taken_by INTEGER;
ALTER TABLE resends ADD COLUMN taken_at INTEGER;
ALTER TABLE resends ADD COLUMN asked_facts TEXT;

-- The earlier requests of a customer, and a server's requests of the last days, for their number and their wait.
CREATE INDEX resends_by_owner ON resends (guild_id, owner, id);

CREATE INDEX resends_by_time ON resends (guild_id, requested_at);

-- A trade whose changes a user gets by direct message. standing is where it stood at the last message.
CREATE TABLE watches (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    provider TEXT NOT NULL,
    trade_id TEXT NOT NULL,
    owner INTEGER NOT NULL,
    standing TEXT NOT NULL,
    notified_at INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    read_at INTEGER,
    UNIQUE (guild_id, user_id, provider, trade_id)
) STRICT;

CREATE INDEX watches_by_reading ON watches (provider, read_at);

CREATE INDEX watches_by_expiry ON watches (expires_at);

-- Internal notes of the staff on a customer: a member, a Steam account, or both.
CREATE TABLE notes (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    user_id INTEGER,
    steam_id INTEGER,
    author_id INTEGER NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    CHECK (user_id IS NOT NULL OR steam_id IS NOT NULL)
) STRICT;

CREATE INDEX notes_by_member ON notes (guild_id, user_id, id) WHERE user_id IS NOT NULL;

CREATE INDEX notes_by_account ON notes (guild_id, steam_id, id) WHERE steam_id IS NOT NULL;

-- The requests for a member's trades, whichever account they had then.
CREATE INDEX resends_by_owner_user ON resends (guild_id, owner_user_id, id) WHERE owner_user_id IS NOT NULL;

-- The facts behind the reference of an error, for 7 days. facts is JSON without any secret.
CREATE TABLE error_references (
    guild_id INTEGER NOT NULL,
    reference TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (guild_id, reference)
) STRICT;

CREATE INDEX error_references_by_user ON error_references (guild_id, user_id, at);

CREATE INDEX error_references_by_age ON error_references (at);
