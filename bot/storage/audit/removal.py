"""Removes old views from the audit log, so that the chain and what is left of them prove that nothing else went."""

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bot.storage.audit.rows import BEFORE_FIRST, Columns, content_of, mentions, view_digest
from bot.storage.database import Connection

_log = logging.getLogger(__name__)

# Columns are read as bytes: a damaged text would end the reading of all rows.
_OLD_VIEWS = """
SELECT id, digest, salt, guild_id, at, CAST(actor AS BLOB), CAST(action AS BLOB), CAST(subject AS BLOB),
    CAST(detail AS BLOB),
    coalesce(
        (SELECT digest FROM audit AS previous WHERE previous.id = audit.id - 1),
        (SELECT digest FROM removed_views WHERE removed_views.id = audit.id - 1)
    )
FROM audit WHERE salt IS NOT NULL AND at < :before ORDER BY at LIMIT :limit
"""

_KEEP_DIGESTS = "INSERT INTO removed_views (id, at, content, digest, removal) VALUES (?, ?, ?, ?, ?)"

_DELETE = "DELETE FROM audit WHERE id = ?"

# Each condition is answered from an index of its own: the plus takes the type of the column away, which these lack.
_ERASE_UNNAMED = """
DELETE FROM pseudonyms
WHERE pseudonym IN (SELECT json_extract(value, '$[0]') FROM json_each(:pseudonyms))
    AND NOT EXISTS (SELECT 1 FROM audit WHERE actor = pseudonym)
    AND NOT EXISTS (SELECT 1 FROM audit WHERE audit.guild_id = pseudonyms.guild_id AND subject = 'user:' || pseudonym)
    AND NOT EXISTS (SELECT 1 FROM audit WHERE audit.guild_id = pseudonyms.guild_id AND subject = 'steam:' || pseudonym)
    AND NOT EXISTS (SELECT 1 FROM audit WHERE json_extract(detail, '$.steam_id') = +pseudonym)
    AND NOT EXISTS (SELECT 1 FROM audit WHERE json_extract(detail, '$.instead_of') = +pseudonym)
    AND NOT EXISTS (SELECT 1 FROM audit WHERE json_extract(detail, '$.owner') = +pseudonym)
    AND NOT EXISTS (SELECT 1 FROM audit WHERE json_extract(detail, '$.requester') = +pseudonym)
"""


class RemovedView(NamedTuple):
    """What is left of a view: its place in the chain, and a digest of what was removed."""

    number: int
    at: int
    content: bytes
    digest: bytes


class Removal:
    """Some removed views, as the log's row about their removal describes them; add them in the order of their numbers.

    ``newest`` is when the last of them was logged, in milliseconds.
    """

    def __init__(self, first: int) -> None:
        self.first = first
        self.newest = 0
        self._last = first
        self._count = 0
        self._digests = hashlib.sha256()

    def add(self, view: RemovedView) -> None:
        """Add the next view."""
        self._last = view.number
        self._count += 1
        self._digests.update(view.digest)
        self.newest = max(self.newest, view.at)

    def detail(self) -> dict[str, str]:
        """Return the details of the row."""
        return {
            "views": str(self._count),
            "first": str(self.first),
            "last": str(self._last),
            "digest": self._digests.hexdigest(),
        }


class OldView(NamedTuple):
    """A view that may be removed, and the pseudonyms in it."""

    guild_id: int
    left: RemovedView
    pseudonyms: tuple[str, ...]


def old_views(connection: Connection, *, before: int, limit: int) -> list[OldView]:
    """Return the oldest views from before a time, by number, inside a job; those that are not as written are left."""
    found = []
    for number, digest, salt, guild_id, at, *texts, previous in connection.execute(
        _OLD_VIEWS, {"before": before, "limit": limit}
    ):
        columns = _columns(guild_id, at, texts)
        content = None if columns is None else content_of(columns, salt)
        if columns is None or content is None or view_digest(previous or BEFORE_FIRST, number, at, content) != digest:
            _log.error("view not removed: it is not as it was written row=%s", number)
            continue
        detail = json.loads(columns.detail)
        names = tuple(mention.pseudonym for mention in mentions(columns.action, columns.subject, columns.actor, detail))
        found.append(OldView(guild_id, RemovedView(number, at, content, digest), names))
    return sorted(found, key=lambda view: view.left.number)


def remove(connection: Connection, views: Sequence[OldView], *, removal: int) -> None:
    """Remove views and the people whom only they name, inside a job, after the row ``removal`` that says so."""
    connection.executemany(_KEEP_DIGESTS, [(*view.left, removal) for view in views])
    connection.executemany(_DELETE, [(view.left.number,) for view in views])
    pseudonyms: Iterable[str] = {pseudonym for view in views for pseudonym in view.pseudonyms}
    connection.execute(_ERASE_UNNAMED, {"pseudonyms": json.dumps([[one] for one in sorted(pseudonyms)])})


def _columns(guild_id: int, at: int, texts: Sequence[bytes | None]) -> Columns | None:
    """Return a view's values; None if it is damaged."""
    try:
        return Columns(guild_id, at, *[None if text is None else text.decode() for text in texts])  # type: ignore[arg-type]
    except (AttributeError, UnicodeDecodeError):
        return None
