-- 0001: everything the first release keeps.
--
-- Discord ids, SteamIDs and trade ids are integers, moments are integer milliseconds UTC, facts that are only read
-- whole are JSON text. STRICT and the triggers are the only SQLite dialect here.
-- No column holds a credential, a JWT, a trade token or a trade's code, and none may be added.

-- A guild's settings. seeded_at is when it got its first grants; a seed that was revoked since stays revoked.
-- Resends are paused while resends_paused_at is set: by a user, or for the answer to the resend ..._for.
CREATE TABLE guilds (
    guild_id INTEGER NOT NULL PRIMARY KEY,
    seeded_at INTEGER,
    approvals_channel_id INTEGER,
    audit_channel_id INTEGER,
    resends_paused_at INTEGER,
    resends_paused_by INTEGER,
    resends_paused_for INTEGER
) STRICT;

-- capability has no CHECK: an unknown one stops the start.
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
    resends_from INTEGER,
    PRIMARY KEY (guild_id, user_id),
    UNIQUE (guild_id, steam_id)
) STRICT;

-- Former links, kept while they make a new one wait; resends_from is the value they had.
CREATE TABLE ended_links (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    steam_id INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    resends_from INTEGER,
    PRIMARY KEY (guild_id, user_id, steam_id)
) STRICT;

CREATE INDEX ended_links_by_account ON ended_links (guild_id, steam_id);

CREATE INDEX ended_links_by_age ON ended_links (ended_at);

-- digest is the SHA-256 of the token in the address: the file holds nothing one could sign in with.
CREATE TABLE sign_ins (
    digest TEXT NOT NULL PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (guild_id, user_id)
) STRICT;

-- Nonces of Steam's answers, kept while they could come again.
CREATE TABLE sign_in_nonces (
    nonce TEXT NOT NULL PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sign_in_nonces_by_age ON sign_in_nonces (seen_at);

-- AUTOINCREMENT: the id is in the buttons of cards; an old card must never come to mean a new request.
-- shown_version is the version that the card is known to show. finalised_at is when everyone had been told of the end.
-- erased_at is when the data of the requester or owner was erased.
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
    shown_version INTEGER,
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
    finalised_at INTEGER,
    erased_at INTEGER,
    notes TEXT NOT NULL DEFAULT '[]'
) STRICT;

-- A trade has at most one open request, over all guilds: two would be two offers for the same items.
CREATE UNIQUE INDEX resends_open_trade ON resends (provider, trade_id)
WHERE state IN ('pending', 'approved', 'sending', 'unknown');

CREATE INDEX resends_open_by_guild ON resends (guild_id, id)
WHERE state IN ('pending', 'approved', 'sending', 'unknown');

-- A requester's recent requests are counted before each new one.
CREATE INDEX resends_by_requester ON resends (guild_id, requested_by, requested_at);

CREATE INDEX resends_not_finalised ON resends (id) WHERE finalised_at IS NULL;

-- seq is the order of saving: the oldest are evicted first. view is how the reader has sorted and filtered, as JSON.
CREATE TABLE snapshots (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    audience TEXT NOT NULL,
    answer BLOB NOT NULL,
    view TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX snapshots_by_user ON snapshots (guild_id, user_id, seq);

CREATE INDEX snapshots_by_expiry ON snapshots (expires_at);

-- The people in the audit log. Rows name them by pseudonyms; to erase a person is to delete the row here, and the
-- chain still holds. The salt proves a pseudonym while it is here, and keeps it from being guessed afterwards.
CREATE TABLE pseudonyms (
    pseudonym TEXT NOT NULL PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('user', 'steam', 'staff')),
    value TEXT NOT NULL,
    salt BLOB NOT NULL,
    UNIQUE (guild_id, kind, value)
) STRICT;

-- actor is a pseudonym, NULL if SkinDesk acted by itself. subject is user:<pseudonym>, steam:<pseudonym>, or not a
-- person. digest is the SHA-256 of the digest before it and the row.
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

-- One index for each way to ask for the newest rows, so that no answer costs more as the log grows.
CREATE INDEX audit_by_guild ON audit (guild_id, id);
CREATE INDEX audit_by_action ON audit (guild_id, action, id);
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_actor_and_action ON audit (actor, action, id);
CREATE INDEX audit_by_subject ON audit (guild_id, subject, id);
CREATE INDEX audit_by_subject_and_action ON audit (guild_id, subject, action, id);

-- One index for each detail that names a person.
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

-- The digest of the commands that Discord was told last, by scope: an application, everywhere or in one guild.
CREATE TABLE command_syncs (
    scope TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL
) STRICT;
