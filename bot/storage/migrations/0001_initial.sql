-- 0001: everything the first release keeps.
--
-- Why it looks like this: Discord ids, SteamIDs and trade ids are integers, moments are integer milliseconds UTC,
-- sets of facts that are only ever read whole are JSON text. Nothing here is SQLite's own but STRICT and the
-- spelling of the triggers, so that another engine can have the same tables.
-- There is no column for a credential, a JWT, a trade token or a trade's code, and none is to be added.

-- What a guild has set. seeded_at is when it got its first grants; a seed that was revoked since stays revoked.
-- Resends are stopped while resends_halted_at is set: by somebody, or for the answer to the resend ..._for.
CREATE TABLE guilds (
    guild_id INTEGER NOT NULL PRIMARY KEY,
    seeded_at INTEGER,
    approvals_channel_id INTEGER,
    audit_channel_id INTEGER,
    resends_halted_at INTEGER,
    resends_halted_by INTEGER,
    resends_halted_for INTEGER
) STRICT;

-- capability has no CHECK: the words are the code's, and a word it does not know stops the start.
CREATE TABLE grants (
    guild_id INTEGER NOT NULL REFERENCES guilds (guild_id),
    role_id INTEGER NOT NULL,
    capability TEXT NOT NULL,
    PRIMARY KEY (guild_id, role_id, capability)
) STRICT;

-- One to one in each guild: a member has one Steam account, a Steam account one member.
CREATE TABLE links (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    steam_id INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('staff', 'sign_in')),
    linked_by INTEGER NOT NULL,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (guild_id, user_id),
    UNIQUE (guild_id, steam_id)
) STRICT;

-- AUTOINCREMENT: the id is in the buttons of cards; an old card must never come to mean a new request.
CREATE TABLE resends (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    provider TEXT NOT NULL,
    trade_id INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    owner_user_id INTEGER,
    requested_by INTEGER NOT NULL,
    reason TEXT,
    state TEXT NOT NULL CHECK (
        state IN ('pending', 'approved', 'sending', 'sent', 'failed', 'unknown', 'denied', 'expired', 'cancelled')
    ),
    facts TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    requested_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    channel_id INTEGER,
    message_id INTEGER,
    decided_by INTEGER,
    decided_at INTEGER,
    decision_reason TEXT,
    outcome TEXT,
    outcome_detail TEXT,
    sent_at INTEGER,
    settled_at INTEGER,
    settled_by INTEGER,
    settle_after INTEGER,
    reminded_at INTEGER,
    concluded_at INTEGER,
    notes TEXT NOT NULL DEFAULT '[]'
) STRICT;

-- A trade has at most one open request, over all guilds: two would be two offers for the same items.
CREATE UNIQUE INDEX resends_open_trade ON resends (provider, trade_id)
WHERE state IN ('pending', 'approved', 'sending', 'unknown');

CREATE INDEX resends_open_by_guild ON resends (guild_id, id)
WHERE state IN ('pending', 'approved', 'sending', 'unknown');

-- How many somebody opened lately is counted before each new one.
CREATE INDEX resends_by_requester ON resends (guild_id, requested_by, requested_at);

-- concluded_at is when everybody had been told of the end: what a crash cut off is told at the next start.
CREATE INDEX resends_not_concluded ON resends (id) WHERE concluded_at IS NULL;

-- seq is the order of saving: the oldest go first.
CREATE TABLE pages (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    audience TEXT NOT NULL,
    answer BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX pages_by_user ON pages (guild_id, user_id, seq);

CREATE INDEX pages_by_expiry ON pages (expires_at);

CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor_id INTEGER,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_guild ON audit (guild_id, id);

CREATE TRIGGER audit_is_never_updated BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
