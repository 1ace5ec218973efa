"""What the changes of resend requests share: the audit row, the notes, and who tells an end."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain.audit import AuditAction
from bot.domain.resends import Resend
from bot.storage import resend_rows as rows
from bot.storage.audit.log import append
from bot.storage.database import Connection, Cursor, Parameters

Value = int | str | None

BEGIN_TELLING = """
UPDATE resends SET telling_at = :at
WHERE guild_id = :guild_id AND id = :id AND worker = :worker AND finalised_at IS NULL AND erased_at IS NULL
  AND state IN ('sent', 'failed', 'denied', 'expired', 'cancelled')
RETURNING *
"""

FINALISE = """
UPDATE resends SET finalised_at = :at, worker = NULL WHERE guild_id = :guild_id AND id = :id AND worker = :worker
"""

# What a process had begun to tell is not told again.
TAKE_OVER = """
UPDATE resends SET
    worker = :worker,
    finalised_at = CASE WHEN telling_at IS NOT NULL THEN CAST(:at AS BIGINT) END,
    notes = CASE WHEN telling_at IS NOT NULL THEN :notes ELSE notes END,
    shown_version = CASE WHEN telling_at IS NULL THEN shown_version END
WHERE guild_id = :guild_id AND id = :id AND worker IS :of AND finalised_at IS NULL AND erased_at IS NULL
  AND state IN ('sent', 'failed', 'denied', 'expired', 'cancelled')
RETURNING *
"""

SET_NOTES = """
UPDATE resends SET notes = :notes, shown_version = CASE WHEN state = 'pending' THEN shown_version END
WHERE guild_id = :guild_id AND id = :id AND erased_at IS NULL
RETURNING *
"""


def change(
    connection: Connection,
    *,
    statement: str,
    values: Parameters,
    action: AuditAction,
    at: datetime,
    by: int | None = None,
    logged: Mapping[str, str] | None = None,
) -> Resend | None:
    """Run a compare-and-set; if it changed the row, append its audit row."""
    resend = first(connection.execute(statement, values))
    if resend is not None:
        row = append(connection, rows.audit_entry(resend, action, by=by, at=at, **(logged or {})))
        resend = replace(resend, audit_rows=(row,))
    return resend


def first(cursor: Cursor) -> Resend | None:
    """Return the request of the first row."""
    row = cursor.fetchone()
    return None if row is None else rows.resend_of(row)


def late_answer(connection: Connection, values: Parameters, *, about: str | None) -> Resend | None:
    """Add ``:notes`` to a request whose process hung until another one had taken it over, and return it.

    None if it was not sent: then there is nothing that could be answered.
    """
    sent = first(connection.execute(rows.GET, values))
    if sent is None or sent.sent_at is None or first(connection.execute(SET_NOTES, values)) is None:
        return None
    return replace(sent, outcome_detail=about)


def with_note(connection: Connection, guild_id: int, resend_id: int, note: str | None) -> dict[str, Value]:
    """Return the request's key and its notes with ``note``. No other job can change them meanwhile."""
    row = connection.execute(rows.NOTES, {"guild_id": guild_id, "id": resend_id}).fetchone()
    before = rows.notes_of(row["notes"]) if row is not None else ()
    notes = rows.notes_text(before if note is None else (*before, note))
    return {"guild_id": guild_id, "id": resend_id, "notes": notes}
