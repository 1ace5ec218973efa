"""Reads the whole record and names what is not as it was written."""

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Sequence

from bot.domain.audit import ChainFault, ChainReport, PseudonymKind
from bot.storage.audit.chain import BEFORE_THE_FIRST, Columns, digest_of
from bot.storage.audit.pseudonyms import PSEUDONYM, SALT_BYTES, Read, pseudonym_of
from bot.storage.audit.rows import Mention, mentions

_AT_ONCE = 500
"""Rows read and checked in one go: some milliseconds on a thread, so that nobody waits for the interpreter."""

_ENOUGH = 1000
"""Faults that are named one by one; a record with more is lost, not damaged."""

_SMALLEST = -(2**63)

_END = """
SELECT (SELECT max(CASE typeof(seq) WHEN 'integer' THEN seq END) FROM sqlite_sequence WHERE name = 'audit') AS given,
    (SELECT max(id) FROM audit) AS last
"""

# Texts are taken as bytes, and types are asked for: a damaged file has anything anywhere, and is to be read all the
# same. NOT INDEXED: what is checked is the rows, not the copies of their columns in an index.
_ROWS = """
SELECT id, typeof(guild_id) || typeof(at) || typeof(actor) || typeof(action) || typeof(subject) || typeof(detail)
        || typeof(digest) AS types,
    CASE typeof(guild_id) WHEN 'integer' THEN guild_id END AS guild_id,
    CASE typeof(at) WHEN 'integer' THEN at END AS at,
    CAST(actor AS BLOB) AS actor, CAST(action AS BLOB) AS action, CAST(subject AS BLOB) AS subject,
    CAST(detail AS BLOB) AS detail, CAST(digest AS BLOB) AS digest
FROM audit NOT INDEXED
WHERE id > :after AND id <= :last
ORDER BY id
LIMIT :limit
"""

# The id is not part of a row's contents: it can be read although these cannot.
_NEXT = "SELECT min(id) AS id FROM audit NOT INDEXED WHERE id > :after AND id <= :last"

_PERSONS = """
SELECT CAST(pseudonym AS BLOB) AS pseudonym, CASE typeof(guild_id) WHEN 'integer' THEN guild_id END AS guild_id,
    CAST(kind AS BLOB) AS kind, CAST(value AS BLOB) AS value, CAST(salt AS BLOB) AS salt
FROM persons NOT INDEXED
"""

_TYPES = frozenset({f"integerinteger{actor}texttexttextblob" for actor in ("text", "null")})


class _Persons:
    """The persons that prove their pseudonyms, and the doubtful ones, each blamed once."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[int, str], PseudonymKind] = {}
        self._doubts: dict[str, str] = {}
        self._blamed: set[str] = set()

    def meet(self, rows: Iterable[sqlite3.Row]) -> None:
        """Take in the rows of the table. A changed one may be used as it says it is called, or as it would be."""
        for row in rows:
            called = (row["pseudonym"] or b"").decode("ascii", "replace")
            try:
                kind, value = PseudonymKind(row["kind"].decode()), row["value"].decode()
                proven = pseudonym_of(row["salt"], row["guild_id"], kind, value)
            except (AttributeError, TypeError, ValueError):
                self._doubts[called] = called
                continue
            if proven == called and len(row["salt"]) == SALT_BYTES:
                self._kinds[row["guild_id"], called] = kind
            else:
                self._doubts |= {called: called, proven: called}

    def accept(self, guild_id: int, mention: Mention) -> bool:
        """Say whether a pseudonym can stand where it does; a fault that was told of already is no second one.

        Nobody stands behind the pseudonym of the forgotten. The staff is not forgotten.
        """
        doubt = self._doubts.get(mention.pseudonym)
        kind = self._kinds.get((guild_id, mention.pseudonym))
        if doubt is None and (mention.kind is not PseudonymKind.STAFF if kind is None else kind is mention.kind):
            return True
        blamed = doubt or mention.pseudonym
        is_new = blamed not in self._blamed
        self._blamed.add(blamed)
        return not is_new

    def has_unused_doubts(self) -> bool:
        """Say whether there are doubtful ones whom no row names."""
        return bool(set(self._doubts.values()) - self._blamed)


class _Check:
    """Follows the record from its first row to its last."""

    def __init__(self) -> None:
        self._persons = _Persons()
        self._rows = 0
        self._faults: list[ChainFault] = []
        self._last = 0
        # What the next row's digest may stand on: one row that was changed must not put the blame on all after it.
        self._bases: Sequence[bytes] = (BEFORE_THE_FIRST,)
        self._recomputed: bytes | None = None
        self._is_sound = True  # the row before is as it was written

    def meet(self, persons: Iterable[sqlite3.Row]) -> None:
        """Take in whom the pseudonyms stand for."""
        self._persons.meet(persons)

    def follow(self, rows: Sequence[sqlite3.Row]) -> None:
        """Check the next rows."""
        for row in rows:
            self._rows += 1
            number = row["id"]
            if number <= self._last:
                self._blame(number, "inserted")
                continue
            if number > self._last + 1:
                self._miss(self._last + 1, number, "missing")
                self._is_sound = False
            self._take(number, row)
            self._last = number

    def lose(self, number: int) -> None:
        """Pass over a row whose contents cannot be read at all."""
        self._rows += 1
        self._miss(self._last + 1, number, "missing")
        self._blame(number, "unreadable")
        self._bases, self._recomputed, self._is_sound, self._last = (), None, False, max(number, self._last)

    def end(self, *, given: int) -> ChainReport:
        """Return what was found. ``given`` is the last id that was ever given."""
        if given < self._last:
            self._blame(self._last, "sequence")
        self._miss(self._last + 1, given + 1, "cut_off")
        if self._persons.has_unused_doubts():
            self._blame(0, "person")
        return self._report()

    def unreadable(self) -> ChainReport:
        """Return what was found up to where the file itself could not be read."""
        self._blame(self._last + 1, "unreadable")
        return self._report()

    def _take(self, number: int, row: sqlite3.Row) -> None:
        digest: bytes | None = row["digest"]
        columns = _columns(row)
        digests = [] if columns is None else [digest_of(base, number, columns) for base in self._bases]
        if columns is not None and digest in digests:
            if self._bases[digests.index(digest)] == self._recomputed:
                self._only_its_digest(self._last)
            self._bases, self._recomputed, self._is_sound = (digest,), None, True
            if (what := self._mistake_in(columns)) is not None:
                self._blame(number, what)
            return
        what = "unreadable" if columns is None else "changed" if self._is_sound else "unproven"
        self._blame(number, what)
        self._recomputed = digests[0] if what == "changed" else None
        stored = digest if digest is not None and len(digest) == len(BEFORE_THE_FIRST) else None
        self._bases = [base for base in (stored, *digests[:2]) if base is not None]
        self._is_sound = False

    def _mistake_in(self, columns: Columns) -> str | None:
        """Return what is wrong with a row although it is as it was written: with the people in it."""
        try:
            detail = json.loads(columns.detail)
            found = list(mentions(columns.action, columns.subject, columns.actor, detail))
        except (TypeError, ValueError):
            return "unreadable"
        if not all(PSEUDONYM.fullmatch(mention.pseudonym) for mention in found):
            return "named"
        accepted = [self._persons.accept(columns.guild_id, mention) for mention in found]
        return None if all(accepted) else "person"

    def _only_its_digest(self, number: int) -> None:
        """Correct what was said of a row: the next one proves it, only its own digest does not fit."""
        self._faults = [
            ChainFault(number, "digest") if fault.number == number and fault.what == "changed" else fault
            for fault in self._faults
        ]

    def _miss(self, first: int, end: int, what: str) -> None:
        for number in range(first, min(end, first + _ENOUGH)):
            self._blame(number, what)

    def _blame(self, number: int, what: str) -> None:
        if len(self._faults) < _ENOUGH:
            self._faults.append(ChainFault(number, what))

    def _report(self) -> ChainReport:
        return ChainReport(self._rows, tuple(sorted(self._faults, key=lambda fault: fault.number)))


def _columns(row: sqlite3.Row) -> Columns | None:
    """Return a row's values, None where they are none that SkinDesk writes."""
    if row["types"] not in _TYPES:
        return None
    try:
        actor = None if row["actor"] is None else row["actor"].decode()
        texts = (row[name].decode() for name in ("action", "subject", "detail"))
        return Columns(row["guild_id"], row["at"], actor, *texts)
    except UnicodeDecodeError:
        return None


async def check(read: Read) -> ChainReport:
    """Read the record up to its present end, in parts, on threads: the event loop goes on meanwhile.

    What is written during the check is not part of it; who is forgotten during it is no fault.
    """
    (end,) = await read(_END, {})
    checking = _Check()
    try:
        await asyncio.to_thread(checking.meet, await read(_PERSONS, {}))
        after: int | None = _SMALLEST
        while after is not None:
            after = await _go_on(read, checking, after=after, last=end["last"])
    except sqlite3.DatabaseError:
        return checking.unreadable()
    return checking.end(given=end["given"] or 0)


async def _go_on(read: Read, checking: _Check, *, after: int, last: int | None) -> int | None:
    """Check the next part and return the id it ends with; None at the end. DatabaseError where there is no way on."""
    for at_once in (_AT_ONCE, 1):
        try:
            while rows := list(await read(_ROWS, {"after": after, "last": last, "limit": at_once})):
                await asyncio.to_thread(checking.follow, rows)
                after = _further(after, rows[-1]["id"])
        except sqlite3.DatabaseError:
            continue  # in single rows, to find out which it is
        return None
    (row,) = await read(_NEXT, {"after": after, "last": last})
    after = _further(after, row["id"])
    checking.lose(after)
    return after


def _further(after: int, number: int | None) -> int:
    """Return the id up to which the record was read; DatabaseError where a damaged tree leads nowhere or back."""
    if number is None or number <= after:
        raise sqlite3.DatabaseError(after)
    return number
