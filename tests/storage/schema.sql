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

CREATE INDEX audit_by_action ON audit (guild_id, action, id);

CREATE INDEX audit_by_actor ON audit (actor, id);

CREATE INDEX audit_by_actor_and_action ON audit (actor, action, id);

CREATE INDEX audit_by_guild ON audit (guild_id, id);

CREATE INDEX audit_by_instead_of ON audit (json_extract(detail, '$.instead_of'))
WHERE json_extract(detail, '$.instead_of') IS NOT NULL;

CREATE INDEX audit_by_owner ON audit (json_extract(detail, '$.owner'))
WHERE json_extract(detail, '$.owner') IS NOT NULL;

CREATE INDEX audit_by_requester ON audit (json_extract(detail, '$.requester'))
WHERE json_extract(detail, '$.requester') IS NOT NULL;

CREATE INDEX audit_by_steam_id ON audit (json_extract(detail, '$.steam_id'))
WHERE json_extract(detail, '$.steam_id') IS NOT NULL;

CREATE INDEX audit_by_subject ON audit (guild_id, subject, id);

CREATE INDEX audit_by_subject_and_action ON audit (guild_id, subject, action, id);

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

CREATE TRIGGER audit_is_never_updated BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

CREATE TABLE command_syncs (
    scope TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL
) STRICT;

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

CREATE TABLE grants (
    guild_id INTEGER NOT NULL REFERENCES guilds (guild_id),
    role_id INTEGER NOT NULL,
    capability TEXT NOT NULL,
    PRIMARY KEY (guild_id, role_id, capability)
) STRICT;

CREATE TABLE guilds (
    guild_id INTEGER NOT NULL PRIMARY KEY,
    seeded_at INTEGER,
    approvals_channel_id INTEGER,
    audit_channel_id INTEGER,
    resends_paused_at INTEGER,
    resends_paused_by INTEGER,
    resends_paused_for INTEGER
) STRICT;

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

CREATE TABLE pseudonyms (
    pseudonym TEXT NOT NULL PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('user', 'steam', 'staff')),
    value TEXT NOT NULL,
    salt BLOB NOT NULL,
    UNIQUE (guild_id, kind, value)
) STRICT;

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

CREATE INDEX resends_by_requester ON resends (guild_id, requested_by, requested_at);

CREATE INDEX resends_not_finalised ON resends (id) WHERE finalised_at IS NULL;

CREATE INDEX resends_open_by_guild ON resends (guild_id, id)
WHERE state IN ('pending', 'approved', 'sending', 'unknown');

CREATE UNIQUE INDEX resends_open_trade ON resends (provider, trade_id)
WHERE state IN ('pending', 'approved', 'sending', 'unknown');

CREATE TABLE sign_in_nonces (
    nonce TEXT NOT NULL PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sign_in_nonces_by_age ON sign_in_nonces (seen_at);

CREATE TABLE sign_ins (
    digest TEXT NOT NULL PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (guild_id, user_id)
) STRICT;

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

CREATE INDEX snapshots_by_expiry ON snapshots (expires_at);

CREATE INDEX snapshots_by_user ON snapshots (guild_id, user_id, seq);

CREATE TABLE sqlite_sequence(name,seq);

