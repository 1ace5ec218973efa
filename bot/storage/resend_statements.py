"""The SQL of resend requests. Each change names the states it may start from: ``TRANSITIONS`` of the domain.

A request that was made nobody's is never read again: an ended one, so that no change of state can reach it either.
What leads to a call asks in the same statement whether the guild's resends are stopped: a stop counts at once.
"""

GET = "SELECT * FROM resends WHERE guild_id = :guild_id AND id = :id AND forgotten_at IS NULL"

OPEN_FOR_TRADE = """
SELECT * FROM resends
WHERE guild_id = :guild_id AND provider = :provider AND trade_id = :trade_id
  AND state IN ('pending', 'approved', 'sending', 'unknown')
"""

OPEN_IN_GUILD = """
SELECT * FROM resends
WHERE guild_id = :guild_id AND state IN ('pending', 'approved', 'sending', 'unknown')
ORDER BY id
"""

ALL_OPEN = """
SELECT * FROM resends WHERE state IN ('pending', 'approved', 'sending', 'unknown') ORDER BY id
"""

NOT_FINALISED = """
SELECT * FROM resends
WHERE concluded_at IS NULL AND forgotten_at IS NULL
  AND state IN ('sent', 'failed', 'denied', 'expired', 'cancelled')
ORDER BY id
"""

FINALISE = "UPDATE resends SET concluded_at = :at WHERE guild_id = :guild_id AND id = :id"

OPEN = """
INSERT INTO resends (
    guild_id, provider, trade_id, owner, owner_user_id, requested_by, reason,
    state, facts, version, requested_at, expires_at, notes
)
SELECT
    :guild_id, :provider, :trade_id, :owner, :owner_user_id, :requested_by, :reason,
    'pending', :facts, :version, :requested_at, :expires_at, :notes
WHERE NOT EXISTS (
    SELECT 1 FROM guilds WHERE guilds.guild_id = :guild_id AND resends_halted_at IS NOT NULL
) AND (:at_most IS NULL OR :at_most > (
    SELECT count(*) FROM resends
    WHERE guild_id = :guild_id AND requested_by = :requested_by AND requested_at > :counted_from
      AND NOT (state = 'cancelled' AND message_id IS NULL)
))
ON CONFLICT (provider, trade_id) WHERE state IN ('pending', 'approved', 'sending', 'unknown') DO NOTHING
RETURNING *
"""

OPENED_AT = """
SELECT requested_at FROM resends
WHERE guild_id = :guild_id AND requested_by = :user_id AND forgotten_at IS NULL
  AND NOT (state = 'cancelled' AND message_id IS NULL)
ORDER BY requested_at DESC
LIMIT :limit
"""

ATTACH_CARD = """
UPDATE resends SET channel_id = :channel_id, message_id = :message_id, shown_version = :version
WHERE guild_id = :guild_id AND id = :id
"""

CARD_SHOWS = """
UPDATE resends SET shown_version = :version
WHERE guild_id = :guild_id AND id = :id AND message_id = :message_id
"""

NOTES = "SELECT notes, facts FROM resends WHERE guild_id = :guild_id AND id = :id AND forgotten_at IS NULL"

SET_NOTES = """
UPDATE resends SET notes = :notes
WHERE guild_id = :guild_id AND id = :id AND forgotten_at IS NULL
RETURNING *
"""

REVISE = """
UPDATE resends SET facts = :facts, notes = :notes, version = version + 1
WHERE guild_id = :guild_id AND id = :id AND state = 'pending' AND version = :version
RETURNING *
"""

APPROVE = """
UPDATE resends SET state = 'approved', decided_by = :by, decided_at = :at
WHERE guild_id = :guild_id AND id = :id AND state = 'pending' AND version = :version AND shown_version = :version
  AND NOT EXISTS (
    SELECT 1 FROM guilds WHERE guilds.guild_id = :guild_id AND resends_halted_at IS NOT NULL
  )
RETURNING *
"""

BEGIN_SENDING = """
UPDATE resends SET state = 'sending', sent_at = :at
WHERE guild_id = :guild_id AND id = :id AND state = 'approved'
  AND NOT EXISTS (
    SELECT 1 FROM guilds WHERE guilds.guild_id = :guild_id AND resends_halted_at IS NOT NULL
  )
RETURNING *
"""

RETURN_TO_PENDING = """
UPDATE resends SET
    state = 'pending', version = version + 1, notes = :notes,
    decided_by = NULL, decided_at = NULL, decision_reason = NULL
WHERE guild_id = :guild_id AND id = :id AND state = 'approved'
RETURNING *
"""

DENY = """
UPDATE resends SET
    state = 'denied', decided_by = :by, decided_at = :at, decision_reason = :reason, settled_at = :at
WHERE guild_id = :guild_id AND id = :id AND state = 'pending'
RETURNING *
"""

EXPIRE = """
UPDATE resends SET state = 'expired', settled_at = :at
WHERE guild_id = :guild_id AND id = :id AND state = 'pending'
RETURNING *
"""

CANCEL = """
UPDATE resends SET state = 'cancelled', decision_reason = :reason, settled_at = :at
WHERE guild_id = :guild_id AND id = :id AND state = 'pending'
RETURNING *
"""

REMIND = """
UPDATE resends SET reminded_at = :at
WHERE guild_id = :guild_id AND id = :id AND state = 'pending' AND reminded_at IS NULL
RETURNING *
"""

MARK_UNKNOWN = """
UPDATE resends SET
    state = 'unknown', outcome = :outcome, outcome_detail = :detail, settle_after = :settle_after, notes = :notes
WHERE guild_id = :guild_id AND id = :id AND state = 'sending'
RETURNING *
"""

SETTLE_LATER = (
    "UPDATE resends SET settle_after = :settle_after WHERE guild_id = :guild_id AND id = :id AND state = 'unknown'"
)

SETTLE = """
UPDATE resends SET
    state = :state, outcome = :outcome, outcome_detail = :detail, settled_at = :at, settle_after = NULL,
    settled_by = :by
WHERE guild_id = :guild_id AND id = :id AND state IN ('sending', 'unknown')
RETURNING *
"""
