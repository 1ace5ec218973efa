"""Resend requests as rows: the columns, the SQL, and the audit entry of each change.

A change names the states it may start from: ``TRANSITIONS`` of the domain. One that leads to a call to the provider
checks in the same statement that the guild's resends are not paused. An erased request is never read again.
"""

import json
from datetime import datetime

from bot.domain.audit import FOR_ANOTHER, AuditAction, AuditEntry
from bot.domain.failures import ProviderName
from bot.domain.resends import Outcome, Resend, ResendState, TradeFacts, change_in
from bot.domain.secrets import mask_trade_urls
from bot.domain.steam import Game, SteamId
from bot.storage.database import Row, clean_text, from_ms, to_ms

GET = "SELECT * FROM resends WHERE guild_id = :guild_id AND id = :id AND erased_at IS NULL"

OPEN_FOR_TRADE = """
SELECT * FROM resends
WHERE guild_id = :guild_id AND provider = :provider AND trade_id = :trade_id
  AND state IN ('pending', 'approved', 'sending', 'unknown')
"""

NEWEST_OF_TRADES = """
SELECT resends.* FROM json_each(:trade_ids) AS wanted CROSS JOIN resends ON resends.id = (
    SELECT id FROM resends
    WHERE guild_id = :guild_id AND provider = :provider AND trade_id = CAST(wanted.value AS BIGINT)
      AND erased_at IS NULL AND NOT (state = 'cancelled' AND message_id IS NULL AND settled_by IS NULL)
    ORDER BY id DESC
    LIMIT 1
)
"""

OPEN_IN_GUILD = """
SELECT * FROM resends
WHERE guild_id = :guild_id AND state IN ('pending', 'approved', 'sending', 'unknown')
ORDER BY id
"""

# ORDER BY id alone makes SQLite read every request instead of the index of the open ones.
ALL_OPEN = """
SELECT * FROM resends WHERE state IN ('pending', 'approved', 'sending', 'unknown') ORDER BY +id
"""

NOT_FINALISED = """
SELECT * FROM resends
WHERE finalised_at IS NULL AND erased_at IS NULL
  AND state IN ('sent', 'failed', 'denied', 'expired', 'cancelled')
ORDER BY id
"""

CARDS_BEHIND = """
SELECT * FROM resends
WHERE settled_at > :since AND message_id IS NOT NULL AND shown_version IS NOT version AND erased_at IS NULL
ORDER BY id
"""

EARLIER = """
SELECT * FROM resends
WHERE guild_id = :guild_id AND provider = :provider AND trade_id = :trade_id AND id < :id AND erased_at IS NULL
  AND state IN ('sent', 'failed', 'denied', 'expired', 'cancelled')
  AND NOT (state = 'cancelled' AND message_id IS NULL AND settled_by IS NULL)
ORDER BY id DESC
LIMIT 3
"""

OF_CUSTOMER = """
SELECT * FROM resends
WHERE guild_id = :guild_id AND owner = :owner AND id < :id AND erased_at IS NULL
  AND NOT (provider = :provider AND trade_id = :trade_id)
  AND state IN ('sent', 'failed', 'denied', 'expired', 'cancelled')
  AND NOT (state = 'cancelled' AND message_id IS NULL AND settled_by IS NULL)
ORDER BY id DESC
LIMIT 3
"""

COUNTS = """
SELECT state, count(*) AS number FROM resends
WHERE guild_id = :guild_id AND requested_at > :since
  AND NOT (state = 'cancelled' AND message_id IS NULL AND settled_by IS NULL)
GROUP BY state
"""

# The newest 1,000 are enough for a median, and bound the sort.
MEDIAN_WAIT = """
WITH waits AS (
    SELECT decided_at - requested_at AS wait FROM resends
    WHERE guild_id = :guild_id AND requested_at > :since AND decided_at IS NOT NULL
    ORDER BY requested_at DESC
    LIMIT 1000
)
SELECT CAST(avg(wait) AS BIGINT) AS median FROM (
    SELECT wait FROM waits ORDER BY wait
    LIMIT 2 - (SELECT count(*) FROM waits) % 2 OFFSET (SELECT (count(*) - 1) / 2 FROM waits)
)
"""

# Each part is answered from its own index: with OR, SQLite reads all requests of the guild.
ABOUT_CUSTOMER = """
WITH asked AS (
    SELECT * FROM (
        SELECT id FROM resends
        WHERE guild_id = :guild_id AND owner = :owner
          AND NOT (state = 'cancelled' AND message_id IS NULL AND settled_by IS NULL)
        ORDER BY id DESC LIMIT :limit
    )
    UNION
    SELECT * FROM (
        SELECT id FROM resends
        WHERE guild_id = :guild_id AND owner_user_id = :user_id
          AND NOT (state = 'cancelled' AND message_id IS NULL AND settled_by IS NULL)
        ORDER BY id DESC LIMIT :limit
    )
)
SELECT resends.* FROM asked CROSS JOIN resends ON resends.id = asked.id
WHERE erased_at IS NULL
ORDER BY resends.id DESC
LIMIT :limit
"""

OPEN = """
INSERT INTO resends (
    guild_id, provider, trade_id, owner, owner_user_id, requested_by, reason,
    state, facts, version, requested_at, expires_at, notes, language, worker
)
SELECT
    :guild_id, :provider, :trade_id, :owner, :owner_user_id, :requested_by, :reason,
    'pending', :facts, :version, :requested_at, :expires_at, :notes, :language, :worker
WHERE NOT EXISTS (
    SELECT 1 FROM guilds WHERE guilds.guild_id = :guild_id AND resends_paused_at IS NOT NULL
) AND (:at_most IS NULL OR :at_most > (
    SELECT count(*) FROM resends
    WHERE guild_id = :guild_id AND requested_by = :requested_by AND requested_at > :counted_from
      AND NOT (state = 'cancelled' AND message_id IS NULL AND settled_by IS NULL)
))
ON CONFLICT (provider, trade_id) WHERE state IN ('pending', 'approved', 'sending', 'unknown') DO NOTHING
RETURNING *
"""

OPENED_AT = """
SELECT requested_at FROM resends
WHERE guild_id = :guild_id AND requested_by = :user_id AND erased_at IS NULL
  AND NOT (state = 'cancelled' AND message_id IS NULL AND settled_by IS NULL)
ORDER BY requested_at DESC
LIMIT :limit
"""

ATTACH_CARD = """
UPDATE resends SET
    channel_id = :channel_id, message_id = :message_id,
    shown_version = CASE WHEN state = :state THEN CAST(:version AS BIGINT) END,
    worker = CASE WHEN state <> 'pending' THEN worker END
WHERE guild_id = :guild_id AND id = :id AND message_id IS :replaces
RETURNING *
"""

CARD_SHOWS = """
UPDATE resends SET shown_version = :version
WHERE guild_id = :guild_id AND id = :id AND message_id = :message_id AND state = :state
RETURNING *
"""

NOTES = "SELECT notes, facts FROM resends WHERE guild_id = :guild_id AND id = :id AND erased_at IS NULL"

REVISE = """
UPDATE resends SET
    facts = :facts, asked_facts = coalesce(asked_facts, facts), notes = :notes, version = version + 1
WHERE guild_id = :guild_id AND id = :id AND state = 'pending' AND version = :version
RETURNING *
"""

APPROVE = """
UPDATE resends SET
    state = 'approved', shown_version = NULL, worker = :worker,
    decided_by = :by, decided_at = :at, taken_by = NULL, taken_at = NULL
WHERE guild_id = :guild_id AND id = :id AND state = 'pending' AND version = :version AND shown_version = :version
  AND expires_at > :at AND NOT EXISTS (
    SELECT 1 FROM guilds WHERE guilds.guild_id = :guild_id AND resends_paused_at IS NOT NULL
  )
RETURNING *
"""

BEGIN_SENDING = """
UPDATE resends SET state = 'sending', shown_version = NULL, sent_at = :at
WHERE guild_id = :guild_id AND id = :id AND state = 'approved' AND worker = :worker
  AND NOT EXISTS (
    SELECT 1 FROM guilds WHERE guilds.guild_id = :guild_id AND resends_paused_at IS NOT NULL
  )
RETURNING *
"""

RETURN_TO_PENDING = """
UPDATE resends SET
    state = 'pending', version = version + 1, notes = :notes, worker = NULL,
    decided_by = NULL, decided_at = NULL, decision_reason = NULL
WHERE guild_id = :guild_id AND id = :id AND state = 'approved' AND worker IS :worker
RETURNING *
"""

DENY = """
UPDATE resends SET
    state = 'denied', shown_version = NULL, worker = :worker,
    decided_by = :by, decided_at = :at, decision_reason = :reason, settled_at = :at,
    taken_by = NULL, taken_at = NULL
WHERE guild_id = :guild_id AND id = :id AND state = 'pending'
RETURNING *
"""

EXPIRE = """
UPDATE resends SET
    state = 'expired', shown_version = NULL, worker = :worker, settled_at = :at, taken_by = NULL, taken_at = NULL
WHERE guild_id = :guild_id AND id = :id AND state = 'pending'
RETURNING *
"""

CANCEL = """
UPDATE resends SET
    state = 'cancelled', shown_version = NULL, worker = :worker,
    decision_reason = :reason, settled_by = :by, settled_at = :at,
    taken_by = NULL, taken_at = NULL
WHERE guild_id = :guild_id AND id = :id AND state = 'pending'
RETURNING *
"""

REMIND = """
UPDATE resends SET reminded_at = :at
WHERE guild_id = :guild_id AND id = :id AND state = 'pending' AND reminded_at IS NULL
RETURNING *
"""

# The version stays: the trade on the card can be approved as before.
TAKE = """
UPDATE resends SET
    taken_by = CASE WHEN taken_by = :by THEN NULL ELSE :by END,
    taken_at = CASE WHEN taken_by = :by THEN NULL ELSE :at END
WHERE guild_id = :guild_id AND id = :id AND state IN ('pending', 'unknown') AND taken_by IS :holder
RETURNING *
"""

MARK_UNKNOWN = """
UPDATE resends SET
    state = 'unknown', shown_version = NULL, outcome = :outcome, outcome_detail = :detail,
    settle_after = :at, notes = :notes
WHERE guild_id = :guild_id AND id = :id AND state = 'sending' AND worker IS :worker
RETURNING *
"""

SETTLE_LATER = (
    "UPDATE resends SET settle_after = :settle_after WHERE guild_id = :guild_id AND id = :id AND state = 'unknown'"
)

# A process that hung may come back when its approval was taken from it, and another one made: it settles its own alone.
SETTLE = """
UPDATE resends SET
    state = :state, shown_version = NULL, worker = :worker, outcome = :outcome, outcome_detail = :detail,
    settled_at = :at, settle_after = NULL, settled_by = :by, taken_by = NULL, taken_at = NULL
WHERE guild_id = :guild_id AND id = :id
  AND (
    worker = :worker AND (state IN ('sending', 'unknown') OR state = 'approved' AND :state = 'failed')
    OR state = 'unknown' AND :outcome IN ('read_back', 'marked')
  )
RETURNING *
"""


def new_row(draft: Resend) -> dict[str, int | str | None]:
    """Return the columns of a new pending request."""
    return {
        "guild_id": draft.guild_id,
        "provider": draft.provider.value,
        "trade_id": draft.trade_id,
        "owner": draft.owner.value,
        "owner_user_id": draft.owner_user_id,
        "requested_by": draft.requested_by,
        "reason": clean_text(draft.reason),
        "facts": facts_text(draft.facts),
        "version": draft.version,
        "requested_at": to_ms(draft.requested_at),
        "expires_at": to_ms(draft.expires_at),
        "notes": notes_text(draft.notes),
        "language": draft.language,
    }


def resend_of(row: Row) -> Resend:
    """Return a row's request."""
    return Resend(
        id=row["id"],
        guild_id=row["guild_id"],
        provider=ProviderName(row["provider"]),
        trade_id=row["trade_id"],
        owner=SteamId(row["owner"]),
        owner_user_id=row["owner_user_id"],
        requested_by=row["requested_by"],
        reason=row["reason"],
        state=ResendState(row["state"]),
        facts=facts_of(row["facts"]),
        version=row["version"],
        requested_at=from_ms(row["requested_at"]),
        expires_at=from_ms(row["expires_at"]),
        channel_id=row["channel_id"],
        message_id=row["message_id"],
        decided_by=row["decided_by"],
        decided_at=from_ms(row["decided_at"]),
        decision_reason=row["decision_reason"],
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        outcome_detail=row["outcome_detail"],
        sent_at=from_ms(row["sent_at"]),
        settled_at=from_ms(row["settled_at"]),
        settled_by=row["settled_by"],
        settle_after=from_ms(row["settle_after"]),
        reminded_at=from_ms(row["reminded_at"]),
        notes=notes_of(row["notes"]),
        shown_version=row["shown_version"],
        taken_by=row["taken_by"],
        taken_at=from_ms(row["taken_at"]),
        asked_facts=None if row["asked_facts"] is None else facts_of(row["asked_facts"]),
        language=row["language"],
        worker=row["worker"],
    )


def facts_text(facts: TradeFacts) -> str:
    """Return the facts as JSON in ASCII, which holds every text: they are compared with the trade as it is read later.

    Only a trade token in the last error is masked; such a trade then counts as changed, which is the safe side.
    """
    return json.dumps(
        {
            "status": facts.status,
            "items_send": facts.items_send,
            "items_received": facts.items_received,
            "offer_id": facts.offer_id,
            "last_error": mask_trade_urls(facts.last_error),
            "code_digest": facts.code_digest,
            "created_at": None if facts.created_at is None else to_ms(facts.created_at),
            "game": facts.game,
            "bot": None if facts.bot is None else facts.bot.value,
        }
    )


def facts_of(text: str) -> TradeFacts:
    """Return the facts in their JSON."""
    facts = json.loads(text)
    facts["items_send"], facts["items_received"] = tuple(facts["items_send"]), tuple(facts["items_received"])
    # Requests from before migration 0004 have none of these.
    facts["created_at"] = from_ms(facts.get("created_at"))
    facts["game"] = Game.from_app_id(facts.get("game"))
    facts["bot"] = None if facts.get("bot") is None else SteamId(facts["bot"])
    return TradeFacts(**facts)


def notes_text(notes: tuple[str, ...]) -> str:
    """Return the card's notes as JSON. A note of a change is ASCII and masked already."""
    return json.dumps([note if change_in(note) is not None else clean_text(note) for note in notes])


def notes_of(text: str) -> tuple[str, ...]:
    """Return the card's notes in their JSON."""
    return tuple(json.loads(text))


def audit_entry(resend: Resend, action: AuditAction, *, by: int | None, at: datetime, **extra: str) -> AuditEntry:
    """Return the audit entry of a change: the trade, its owner, the requester, and facts that depend on the action."""
    detail = {
        "provider": resend.provider.value,
        "trade": str(resend.trade_id),
        "owner": str(resend.owner),
        "requester": str(resend.requested_by),
    }
    match action:
        case AuditAction.RESEND_REQUESTED | AuditAction.RESEND_REVISED | AuditAction.RESEND_APPROVED:
            detail["version"] = str(resend.version)
        case AuditAction.RESEND_UNKNOWN | AuditAction.RESEND_SENT | AuditAction.RESEND_FAILED:
            detail["outcome"] = resend.outcome.value if resend.outcome is not None else ""
        case AuditAction.RESEND_CANCELLED:
            detail["reason"] = resend.decision_reason or ""
    by_requester = action is AuditAction.RESEND_REQUESTED or by == resend.requested_by
    if by_requester and resend.owner_user_id != resend.requested_by:
        detail |= FOR_ANOTHER
    return AuditEntry(resend.guild_id, at, by, action, f"resend:{resend.id}", detail | extra)
