"""Keeps the facts behind references of errors for a week, within bounds."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from typing_extensions import override

from bot.domain.failures import Failure, FailureKind, Party, ProviderName
from bot.domain.references import ErrorReference
from bot.ports.references import ReferenceRepository
from bot.storage.database import Connection, Database, Row, clean_text, from_ms, to_ms

_log = logging.getLogger(__name__)

# A reference has 24 bits: the newer error is the one that is asked about.
_INSERT = """
INSERT INTO error_references (guild_id, reference, user_id, at, facts)
VALUES (:guild_id, :reference, :user_id, :at, :facts)
ON CONFLICT (guild_id, reference) DO UPDATE SET
    user_id = excluded.user_id, at = excluded.at, facts = excluded.facts
"""

_EVICT_OF_USER = """
DELETE FROM error_references WHERE rowid IN (
    SELECT rowid FROM error_references WHERE guild_id = :guild_id AND user_id = :user_id
    ORDER BY at DESC, rowid DESC LIMIT -1 OFFSET :kept
)
"""

_COUNT = "SELECT count(*) FROM error_references"

# The member with the most references loses the oldest ones first, as with snapshots.
_EVICT = """
DELETE FROM error_references WHERE rowid IN (
    SELECT id FROM (
        SELECT rowid AS id, at,
            ROW_NUMBER() OVER (PARTITION BY guild_id, user_id ORDER BY at DESC, rowid DESC) AS newer
        FROM error_references
    ) ORDER BY newer, at DESC LIMIT -1 OFFSET :kept
)
"""

_LOAD = "SELECT * FROM error_references WHERE guild_id = :guild_id AND reference = :reference AND at > :since"

OF_USER = """
SELECT * FROM error_references WHERE guild_id = :guild_id AND user_id = :user_id AND at > :since
ORDER BY at DESC, rowid DESC
"""

_PURGE = "DELETE FROM error_references WHERE at <= :before"

_LONGEST = 120
_MILLISECOND = timedelta(milliseconds=1)


class SqlReferenceRepository(ReferenceRepository):
    """Errors as rows: at most ``max_rows``, and ``max_per_user`` of one member of a guild."""

    def __init__(self, db: Database, *, max_rows: int = 10_000, max_per_user: int = 50) -> None:
        self._db = db
        self._max_rows = max_rows
        self._max_per_user = max_per_user

    @override
    async def save(self, *errors: ErrorReference) -> None:
        rows = [_row(error) for error in errors]
        users = {(error.guild_id, error.user_id) for error in errors}

        def job(connection: Connection) -> None:
            connection.executemany(_INSERT, rows)
            connection.executemany(
                _EVICT_OF_USER,
                [{"guild_id": guild, "user_id": user, "kept": self._max_per_user} for guild, user in users],
            )
            ((stored,),) = connection.execute(_COUNT).fetchall()
            if stored > self._max_rows:
                # Some more than needed: it sorts all rows, and would else come with every error.
                connection.execute(_EVICT, {"kept": self._max_rows - self._max_rows // 20})

        await self._db.write(job)

    @override
    async def load(self, guild_id: int, reference: str, *, since: datetime) -> ErrorReference | None:
        asked = {"guild_id": guild_id, "reference": reference, "since": to_ms(since)}
        return next(iter(errors_of(await self._db.read(_LOAD, asked))), None)

    @override
    async def of_user(self, guild_id: int, user_id: int, *, since: datetime) -> Sequence[ErrorReference]:
        asked = {"guild_id": guild_id, "user_id": user_id, "since": to_ms(since)}
        return errors_of(await self._db.read(OF_USER, asked))

    @override
    async def purge(self, *, before: datetime) -> None:
        def job(connection: Connection) -> None:
            connection.execute(_PURGE, {"before": to_ms(before)})

        await self._db.write(job)


def errors_of(rows: Sequence[Row]) -> tuple[ErrorReference, ...]:
    """Return the errors of rows, without those that cannot be read: damaged, or of another version."""
    errors = []
    for row in rows:
        try:
            errors.append(_error(row))
        except (ValueError, LookupError, TypeError) as error:
            _log.warning("reference not readable guild=%s error=%s", row["guild_id"], type(error).__name__)
    return tuple(errors)


def _row(error: ErrorReference) -> dict[str, Any]:
    facts = {"command": _text(error.command), "error": _text(error.error), "title": _text(error.title)}
    return {
        "guild_id": error.guild_id,
        "reference": error.reference,
        "user_id": error.user_id,
        "at": to_ms(error.at),
        "facts": json.dumps(facts if error.failure is None else facts | {"failure": _failure_facts(error.failure)}),
    }


def _failure_facts(failure: Failure) -> dict[str, Any]:
    facts = {
        "provider": failure.provider.value,
        "kind": failure.kind.value,
        "code": failure.code,
        "key": _text(failure.key),
        "http": failure.http_status,
        "request": _text(failure.request_id),
        "place": _text(failure.place),
        "method": _text(failure.method),
        "took": None if failure.took is None else failure.took // _MILLISECOND,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _text(text: str | None) -> str | None:
    cleaned = clean_text(text)
    return cleaned and cleaned[:_LONGEST]


def _error(row: Row) -> ErrorReference:
    facts = json.loads(row["facts"])
    return ErrorReference(
        guild_id=row["guild_id"],
        reference=row["reference"],
        user_id=row["user_id"],
        at=from_ms(row["at"]),
        command=facts["command"],
        error=facts["error"],
        title=facts["title"],
        failure=_failure(facts["failure"]) if "failure" in facts else None,
    )


def _failure(facts: dict[str, Any]) -> Failure:
    name = facts["provider"]
    return Failure(
        Party(name) if name in list(Party) else ProviderName(name),
        FailureKind(facts["kind"]),
        code=facts.get("code"),
        key=facts.get("key"),
        http_status=facts.get("http"),
        request_id=facts.get("request"),
        place=facts.get("place"),
        method=facts.get("method"),
        took=None if "took" not in facts else facts["took"] * _MILLISECOND,
    )
