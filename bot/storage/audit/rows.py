"""How an entry looks as a row of the record, where pseudonyms stand for people, and how it is read back."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bot.domain.audit import (
    PERSONAL_DETAILS,
    STAFF_ACTIONS,
    AuditAction,
    AuditEntry,
    AuditRow,
    DamagedRow,
    PseudonymKind,
    acts_as,
    is_for_another,
)
from bot.storage.audit.pseudonyms import Person, person
from bot.storage.columns import from_ms

SUBJECTS: Mapping[str, PseudonymKind] = {"user": PseudonymKind.USER, "steam": PseudonymKind.STEAM}
"""The subjects that are people, by the word before the colon."""

Names = Mapping[Person, str]
"""Pseudonyms of people."""

People = Mapping[str, Person]
"""Whom pseudonyms stand for; the forgotten are missing."""


class Mention(NamedTuple):
    """A pseudonym in a row, and as what somebody stands there."""

    pseudonym: str
    kind: PseudonymKind


def people_in(entry: AuditEntry) -> Iterator[Person]:
    """Go through everybody whom an entry names."""
    if entry.actor_id is not None:
        yield person(acts_as(entry), entry.actor_id)
    if (subject := subject_person(entry.subject)) is not None:
        yield subject
    for key, value in entry.detail.items():
        if key in PERSONAL_DETAILS:
            yield person(PERSONAL_DETAILS[key], value)


def subject_person(subject: str) -> Person | None:
    """Return the person that a subject names, as an entry spells it; None where it is something else."""
    word, colon, value = subject.partition(":")
    return person(SUBJECTS[word], value) if colon and word in SUBJECTS else None


def actor_column(entry: AuditEntry, names: Names) -> str | None:
    """Return who did it."""
    return None if entry.actor_id is None else names[person(acts_as(entry), entry.actor_id)]


def subject_column(subject: str, names: Names) -> str:
    """Return to whom or to what it was done."""
    somebody = subject_person(subject)
    return subject if somebody is None else f"{subject.partition(':')[0]}:{names[somebody]}"


def detail_column(detail: Mapping[str, str], names: Names) -> str:
    """Return the facts as JSON in ASCII, which holds every text."""
    return json.dumps(
        {
            key: names[person(PERSONAL_DETAILS[key], value)] if key in PERSONAL_DETAILS else value
            for key, value in detail.items()
        }
    )


def mentions(action: str, subject: str, actor: str | None, detail: Mapping[str, object]) -> Iterator[Mention]:
    """Go through the places of a row where a pseudonym stands. The action may be a word that is none."""
    if actor is not None:
        links_another = action == AuditAction.LINK_SET and subject != f"user:{actor}"
        # As acts_as says it of the entry.
        is_staff = action in STAFF_ACTIONS or links_another or is_for_another(detail)
        yield Mention(actor, PseudonymKind.STAFF if is_staff else PseudonymKind.USER)
    word, colon, value = subject.partition(":")
    if colon and word in SUBJECTS:
        yield Mention(value, SUBJECTS[word])
    for key, kind in PERSONAL_DETAILS.items():
        if key in detail:
            yield Mention(str(detail[key]), kind)


AS_BYTES = """
audit.id, audit.at, CAST(audit.actor AS BLOB) AS actor, CAST(audit.action AS BLOB) AS action,
CAST(audit.subject AS BLOB) AS subject, CAST(audit.detail AS BLOB) AS detail, audit.digest
"""
"""The columns as :func:`recorded` takes them: a text that is none would end the reading of all rows beside it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row as it was read, with pseudonyms in it."""

    number: int
    at: datetime
    actor: str | None
    action: AuditAction
    subject: str
    detail: Mapping[str, str]
    digest: str


def recorded(row: sqlite3.Row) -> Recorded | DamagedRow:
    """Return what stands in a row of :data:`AS_BYTES`. Something else than was written can stand anywhere in it."""
    try:
        detail = json.loads(row["detail"].decode())
        if not isinstance(detail, dict) or not all(isinstance(value, str) for value in detail.values()):
            return DamagedRow(row["id"])
        return Recorded(
            number=row["id"],
            at=from_ms(row["at"]),
            actor=None if row["actor"] is None else row["actor"].decode(),
            action=AuditAction(row["action"].decode()),
            subject=row["subject"].decode(),
            detail=detail,
            digest=row["digest"].hex(),
        )
    except (AttributeError, OverflowError, TypeError, ValueError):
        return DamagedRow(row["id"])


def mentions_of(row: Recorded) -> Iterator[Mention]:
    """Go through the places of a row where a pseudonym stands."""
    return mentions(row.action, row.subject, row.actor, row.detail)


def entry_row(row: Recorded, people: People) -> AuditRow:
    """Return a row with its people as ids again, where they are not forgotten."""
    return AuditRow(
        number=row.number,
        at=row.at,
        actor="skindesk" if row.actor is None else _spelled("user", row.actor, people),
        action=row.action,
        subject=_subject(row.subject, people),
        detail={key: _value(value, people) if key in PERSONAL_DETAILS else value for key, value in row.detail.items()},
        digest=row.digest,
    )


def _subject(subject: str, people: People) -> str:
    word, colon, value = subject.partition(":")
    return _spelled(word, value, people) if colon and word in SUBJECTS else subject


def _spelled(word: str, pseudonym: str, people: People) -> str:
    somebody = people.get(pseudonym)
    return _forgotten(pseudonym) if somebody is None else f"{word}:{somebody.value}"


def _value(pseudonym: str, people: People) -> str:
    somebody = people.get(pseudonym)
    return _forgotten(pseudonym) if somebody is None else somebody.value


def _forgotten(pseudonym: str) -> str:
    return f"erased:{pseudonym}"
