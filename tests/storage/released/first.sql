PRAGMA application_id = 1399538795;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor_id INTEGER,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
INSERT INTO "audit" VALUES(1,900000000000000001,1795193202206,NULL,'guild.seeded','guild','{"capabilities": "inventory.own resend.own trades.own"}');
INSERT INTO "audit" VALUES(2,900000000000000001,1774745999987,800000000000000002,'access.granted','role:77','{"capability": "resend.approve"}');
INSERT INTO "audit" VALUES(3,900000000000000001,1774745999987,800000000000000002,'link.set','user:800000000000000001','{"steam_id": "76561197960265739", "source": "staff"}');
INSERT INTO "audit" VALUES(4,900000000000000001,1774745999987,800000000000000001,'resend.requested','resend:1','{"provider": "mannco", "trade": "5000", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(5,900000000000000001,1774745999987,800000000000000001,'resend.requested','resend:2','{"provider": "mannco", "trade": "5001", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(6,900000000000000001,1774753199987,800000000000000002,'resend.approved','resend:2','{"provider": "mannco", "trade": "5001", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(7,900000000000000001,1774745999987,800000000000000001,'resend.requested','resend:3','{"provider": "mannco", "trade": "5002", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(8,900000000000000001,1774753199987,800000000000000002,'resend.approved','resend:3','{"provider": "mannco", "trade": "5002", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(9,900000000000000001,1774753199987,NULL,'resend.sending','resend:3','{"provider": "mannco", "trade": "5002", "owner": "76561197960265739", "requester": "800000000000000001"}');
INSERT INTO "audit" VALUES(10,900000000000000001,1774745999987,800000000000000001,'resend.requested','resend:4','{"provider": "mannco", "trade": "5003", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(11,900000000000000001,1774753199987,800000000000000002,'resend.approved','resend:4','{"provider": "mannco", "trade": "5003", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(12,900000000000000001,1774753199987,NULL,'resend.sending','resend:4','{"provider": "mannco", "trade": "5003", "owner": "76561197960265739", "requester": "800000000000000001"}');
INSERT INTO "audit" VALUES(13,900000000000000001,1774753199987,NULL,'resend.sent','resend:4','{"provider": "mannco", "trade": "5003", "owner": "76561197960265739", "requester": "800000000000000001", "outcome": "confirmed"}');
INSERT INTO "audit" VALUES(14,900000000000000001,1774745999987,800000000000000001,'resend.requested','resend:5','{"provider": "mannco", "trade": "5004", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(15,900000000000000001,1774753199987,800000000000000002,'resend.approved','resend:5','{"provider": "mannco", "trade": "5004", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(16,900000000000000001,1774753199987,NULL,'resend.sending','resend:5','{"provider": "mannco", "trade": "5004", "owner": "76561197960265739", "requester": "800000000000000001"}');
INSERT INTO "audit" VALUES(17,900000000000000001,1774753199987,NULL,'resend.failed','resend:5','{"provider": "mannco", "trade": "5004", "owner": "76561197960265739", "requester": "800000000000000001", "outcome": "confirmed"}');
INSERT INTO "audit" VALUES(18,900000000000000001,1774745999987,800000000000000001,'resend.requested','resend:6','{"provider": "mannco", "trade": "5005", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(19,900000000000000001,1774753199987,800000000000000002,'resend.approved','resend:6','{"provider": "mannco", "trade": "5005", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(20,900000000000000001,1774753199987,NULL,'resend.sending','resend:6','{"provider": "mannco", "trade": "5005", "owner": "76561197960265739", "requester": "800000000000000001"}');
INSERT INTO "audit" VALUES(21,900000000000000001,1774753199987,NULL,'resend.unknown','resend:6','{"provider": "mannco", "trade": "5005", "owner": "76561197960265739", "requester": "800000000000000001", "outcome": "answer_lost"}');
INSERT INTO "audit" VALUES(22,900000000000000001,1774745999987,800000000000000001,'resend.requested','resend:7','{"provider": "mannco", "trade": "5006", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(23,900000000000000001,1774753199987,800000000000000002,'resend.denied','resend:7','{"provider": "mannco", "trade": "5006", "owner": "76561197960265739", "requester": "800000000000000001"}');
INSERT INTO "audit" VALUES(24,900000000000000001,1774745999987,800000000000000001,'resend.requested','resend:8','{"provider": "mannco", "trade": "5007", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(25,900000000000000001,1774753199987,NULL,'resend.expired','resend:8','{"provider": "mannco", "trade": "5007", "owner": "76561197960265739", "requester": "800000000000000001"}');
INSERT INTO "audit" VALUES(26,900000000000000001,1774745999987,800000000000000001,'resend.requested','resend:9','{"provider": "mannco", "trade": "5008", "owner": "76561197960265739", "requester": "800000000000000001", "version": "1"}');
INSERT INTO "audit" VALUES(27,900000000000000001,1774753199987,NULL,'resend.cancelled','resend:9','{"provider": "mannco", "trade": "5008", "owner": "76561197960265739", "requester": "800000000000000001", "reason": "card_not_posted"}');
CREATE TABLE grants (
    guild_id INTEGER NOT NULL REFERENCES guilds (guild_id),
    role_id INTEGER NOT NULL,
    capability TEXT NOT NULL,
    PRIMARY KEY (guild_id, role_id, capability)
) STRICT;
INSERT INTO "grants" VALUES(900000000000000001,900000000000000001,'inventory.own');
INSERT INTO "grants" VALUES(900000000000000001,900000000000000001,'resend.own');
INSERT INTO "grants" VALUES(900000000000000001,900000000000000001,'trades.own');
INSERT INTO "grants" VALUES(900000000000000001,77,'resend.approve');
CREATE TABLE guilds (
    guild_id INTEGER NOT NULL PRIMARY KEY,
    seeded_at INTEGER,
    approvals_channel_id INTEGER,
    audit_channel_id INTEGER,
    resends_halted_at INTEGER,
    resends_halted_by INTEGER,
    resends_halted_for INTEGER
) STRICT;
INSERT INTO "guilds" VALUES(900000000000000001,1795193202206,NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "links" VALUES(900000000000000001,800000000000000001,76561197960265739,'staff',800000000000000002,1774745999987);
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
INSERT INTO "resends" VALUES(1,900000000000000001,'mannco',5000,76561197960265739,800000000000000001,800000000000000001,'the bot was offline','pending','{"status": 7, "items_send": ["31000000001", "31000000002"], "items_received": [], "offer_id": "5812345678", "last_error": "The trade offer was cancelled (7)", "code_digest": "989101e0394358b24bfe71659974aa1f0355ec924594f8e21a9f85d10fe25652"}',1,1774745999987,1774832399987,1,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "resends" VALUES(2,900000000000000001,'mannco',5001,76561197960265739,800000000000000001,800000000000000001,'the bot was offline','approved','{"status": 7, "items_send": ["31000000001", "31000000002"], "items_received": [], "offer_id": "5812345678", "last_error": "The trade offer was cancelled (7)", "code_digest": "989101e0394358b24bfe71659974aa1f0355ec924594f8e21a9f85d10fe25652"}',1,1774745999987,1774832399987,1,2,800000000000000002,1774753199987,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "resends" VALUES(3,900000000000000001,'mannco',5002,76561197960265739,800000000000000001,800000000000000001,'the bot was offline','sending','{"status": 7, "items_send": ["31000000001", "31000000002"], "items_received": [], "offer_id": "5812345678", "last_error": "The trade offer was cancelled (7)", "code_digest": "989101e0394358b24bfe71659974aa1f0355ec924594f8e21a9f85d10fe25652"}',1,1774745999987,1774832399987,1,3,800000000000000002,1774753199987,NULL,NULL,NULL,1774753199987,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "resends" VALUES(4,900000000000000001,'mannco',5003,76561197960265739,800000000000000001,800000000000000001,'the bot was offline','sent','{"status": 7, "items_send": ["31000000001", "31000000002"], "items_received": [], "offer_id": "5812345678", "last_error": "The trade offer was cancelled (7)", "code_digest": "989101e0394358b24bfe71659974aa1f0355ec924594f8e21a9f85d10fe25652"}',1,1774745999987,1774832399987,1,4,800000000000000002,1774753199987,NULL,'confirmed',NULL,1774753199987,1774753199987,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "resends" VALUES(5,900000000000000001,'mannco',5004,76561197960265739,800000000000000001,800000000000000001,'the bot was offline','failed','{"status": 7, "items_send": ["31000000001", "31000000002"], "items_received": [], "offer_id": "5812345678", "last_error": "The trade offer was cancelled (7)", "code_digest": "989101e0394358b24bfe71659974aa1f0355ec924594f8e21a9f85d10fe25652"}',1,1774745999987,1774832399987,1,5,800000000000000002,1774753199987,NULL,'confirmed',NULL,1774753199987,1774753199987,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "resends" VALUES(6,900000000000000001,'mannco',5005,76561197960265739,800000000000000001,800000000000000001,'the bot was offline','unknown','{"status": 7, "items_send": ["31000000001", "31000000002"], "items_received": [], "offer_id": "5812345678", "last_error": "The trade offer was cancelled (7)", "code_digest": "989101e0394358b24bfe71659974aa1f0355ec924594f8e21a9f85d10fe25652"}',1,1774745999987,1774832399987,1,6,800000000000000002,1774753199987,NULL,'answer_lost','timed_out',1774753199987,NULL,NULL,1774753199987,NULL,NULL,'[]');
INSERT INTO "resends" VALUES(7,900000000000000001,'mannco',5006,76561197960265739,800000000000000001,800000000000000001,'the bot was offline','denied','{"status": 7, "items_send": ["31000000001", "31000000002"], "items_received": [], "offer_id": "5812345678", "last_error": "The trade offer was cancelled (7)", "code_digest": "989101e0394358b24bfe71659974aa1f0355ec924594f8e21a9f85d10fe25652"}',1,1774745999987,1774832399987,1,7,800000000000000002,1774753199987,'not now',NULL,NULL,NULL,1774753199987,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "resends" VALUES(8,900000000000000001,'mannco',5007,76561197960265739,800000000000000001,800000000000000001,'the bot was offline','expired','{"status": 7, "items_send": ["31000000001", "31000000002"], "items_received": [], "offer_id": "5812345678", "last_error": "The trade offer was cancelled (7)", "code_digest": "989101e0394358b24bfe71659974aa1f0355ec924594f8e21a9f85d10fe25652"}',1,1774745999987,1774832399987,1,8,NULL,NULL,NULL,NULL,NULL,NULL,1774753199987,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "resends" VALUES(9,900000000000000001,'mannco',5008,76561197960265739,800000000000000001,800000000000000001,'the bot was offline','cancelled','{"status": 7, "items_send": ["31000000001", "31000000002"], "items_received": [], "offer_id": "5812345678", "last_error": "The trade offer was cancelled (7)", "code_digest": "989101e0394358b24bfe71659974aa1f0355ec924594f8e21a9f85d10fe25652"}',1,1774745999987,1774832399987,1,9,NULL,NULL,'card_not_posted',NULL,NULL,NULL,1774753199987,NULL,NULL,NULL,NULL,'[]');
CREATE UNIQUE INDEX resends_open_trade ON resends (provider, trade_id)
WHERE state IN ('pending', 'approved', 'sending', 'unknown');
CREATE INDEX resends_open_by_guild ON resends (guild_id, id)
WHERE state IN ('pending', 'approved', 'sending', 'unknown');
CREATE INDEX resends_by_requester ON resends (guild_id, requested_by, requested_at);
CREATE INDEX resends_not_concluded ON resends (id) WHERE concluded_at IS NULL;
CREATE INDEX pages_by_user ON pages (guild_id, user_id, seq);
CREATE INDEX pages_by_expiry ON pages (expires_at);
CREATE INDEX audit_by_guild ON audit (guild_id, id);
CREATE TRIGGER audit_is_never_updated BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('audit',27);
INSERT INTO "sqlite_sequence" VALUES('resends',9);
COMMIT;
