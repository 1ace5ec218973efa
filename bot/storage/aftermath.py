"""Makes sure that nothing is sent twice after the database was put back to an earlier state, or started new."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.audit import AuditAction
from bot.storage.audit.log import append
from bot.storage.database import Connection, to_ms
from bot.storage.guild_settings import PauseReason, pause_incomplete
from bot.storage.maintenance import Prepared
from bot.storage.resend_rows import audit_entry, resend_of

_SKIPPED_IDS = 100_000
"""How far the next request's id is moved on if the ids given out since the backup are unknown."""

_MARK_UNKNOWN = """
UPDATE resends SET
    state = 'unknown', shown_version = NULL, outcome = 'restored', outcome_detail = state, settle_after = :at
WHERE state IN ('pending', 'approved', 'sending')
RETURNING *
"""

_DO_NOT_TELL = """
UPDATE resends SET telling_at = :at
WHERE finalised_at IS NULL AND state IN ('sent', 'failed', 'denied', 'expired', 'cancelled')
"""

_GUILDS = "SELECT guild_id FROM guilds UNION SELECT guild_id FROM resends ORDER BY guild_id"

_MARK_INCOMPLETE = "UPDATE desk SET incomplete_until = :at, moved_to = NULL"


@dataclass(frozen=True, slots=True)
class Former:
    """Facts from the database before: its guilds, and the highest id of a request."""

    guild_ids: frozenset[int] = frozenset()
    highest_id: int | None = None


class RequestIds(Protocol):
    """The ids of requests, which each engine gives out in its own way."""

    def highest(self, connection: Connection) -> int:
        """Return the highest id ever given to a request, as far as the database knows."""
        ...

    def skip_to(self, connection: Connection, highest: int) -> None:
        """Give out no id up to ``highest`` any more."""
        ...


def former_in(connection: Connection, ids: RequestIds) -> Former:
    """Return the facts of the database that is about to be replaced."""
    guild_ids = frozenset(row[0] for row in connection.execute(_GUILDS))
    return Former(guild_ids, ids.highest(connection))


def prepare(connection: Connection, *, ids: RequestIds, former: Former, reason: PauseReason, at: datetime) -> Prepared:
    """Prepare a database that does not know everything that was sent until ``at``, in a job.

    Open requests may have been sent since:
    they become unknown, to be settled by reading or by hand. Later requests are not in it: resends are paused in every
    guild until a user resumes them, and in other guilds once they get their first grants. Ids given out since are
    skipped, because they are in the buttons of cards; sign-ins in progress end; the commands are synced again, because
    another version may have synced others.
    """
    unknown = [resend_of(row) for row in connection.execute(_MARK_UNKNOWN, {"at": to_ms(at)}).fetchall()]
    for resend in unknown:
        action, was = AuditAction.RESEND_UNKNOWN, resend.outcome_detail or ""
        append(connection, audit_entry(resend, action, by=None, at=at, was=was))
    guild_ids = {row["guild_id"] for row in connection.execute(_GUILDS)} | former.guild_ids
    for guild_id in sorted(guild_ids):
        pause_incomplete(connection, guild_id, reason=reason, at=at)
    connection.execute(_DO_NOT_TELL, {"at": to_ms(at)})
    connection.execute(_MARK_INCOMPLETE, {"at": to_ms(at)})
    highest = ids.highest(connection)
    if former.highest_id is not None and former.highest_id >= highest:
        highest = former.highest_id
    else:
        highest += _SKIPPED_IDS
    ids.skip_to(connection, highest)
    connection.execute("DELETE FROM sign_ins")
    connection.execute("DELETE FROM command_syncs")
    return Prepared(len(unknown), len(guild_ids))
