"""What each engine gives the repositories: jobs that write, statements that read, and the values of columns.

Statements are written once, for SQLite; :mod:`bot.storage.postgres.sql` turns them into PostgreSQL's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar, overload

from bot.domain.health import DatabaseHealth
from bot.domain.secrets import mask_trade_urls

_T = TypeVar("_T")

Parameters = Sequence[Any] | Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MAX_INTEGER = 2**63 - 1


class Row(Protocol):
    """A row, read by position or by the column's name."""

    def __getitem__(self, key: int | str, /) -> Any:
        """Return the value of a column."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the values in the order of the columns."""
        ...


class Cursor(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""
        ...

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the rows that are left."""
        ...


class Connection(Protocol):
    """A connection inside a job's transaction."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, sql: str, rows: Iterable[Any], /) -> Cursor:
        """Run one statement for each row."""
        ...


Job = Callable[[Connection], _T]
"""A write job. It may be rolled back and run again: that must do no harm outside the database."""


class WriteObserver(Protocol):
    """Receives the timing of each job that was committed."""

    def __call__(self, *, waited: float, took: float) -> None:
        """Record a job; both in seconds."""
        ...


class Guard(Protocol):
    """Knows whether the database can be used. It is asked before each decision, and refuses while there is a fault."""

    write_failures: int
    """Jobs that failed because of the database."""

    @property
    def health(self) -> DatabaseHealth:
        """What is known, without a new look."""
        ...

    async def check(self) -> DatabaseHealth:
        """Look again if it is time to, and return what is known."""
        ...


class Database(Protocol):
    """An open database. Jobs of all processes run one after another, as if each were alone."""

    is_shared: bool
    """Whether other processes may write to it, so that what was read of it may not be kept in memory."""

    def observe_writes(self, observer: WriteObserver) -> None:
        """Call ``observer`` with the timing of each job that was committed."""
        ...

    async def write(self, job: Job[_T], *, on_done: Callable[[], None] | None = None) -> _T:
        """Run ``job`` in a transaction and return its result after COMMIT; if it raises, it is rolled back.

        Jobs of one process run in the order they were added; they may be run twice. Cancelling the caller does not
        stop the job, unless it has not begun when :meth:`begin_shutdown` is called. ``on_done`` is called once the job
        is committed or has failed, before its caller is answered.
        """
        ...

    async def read(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """Return the rows of one statement, which sees all committed jobs and no other."""
        ...

    async def read_inline(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """Do what :meth:`read` does, for a row or two that an index finds, in the way that is fastest for those."""
        ...

    async def wipe(self) -> bool:
        """Remove deleted data from the files as far as the engine can; False if it has to be tried again."""
        ...

    def begin_shutdown(self, *, within: float) -> None:
        """Drop jobs that have not begun once their callers are gone, and limit waits for locks to ``within`` seconds.

        Call it before any caller gets the answer that it was interrupted; it may be called again.
        """
        ...


def to_ms(moment: datetime) -> int:
    """Return whole milliseconds since 1970, UTC. TypeError for a naive moment."""
    return (moment - _EPOCH) // _MILLISECOND


@overload
def from_ms(milliseconds: int) -> datetime: ...


@overload
def from_ms(milliseconds: int | None) -> datetime | None: ...


def from_ms(milliseconds: int | None) -> datetime | None:
    """Return the column's moment, aware, in UTC; None for NULL."""
    return None if milliseconds is None else _EPOCH + milliseconds * _MILLISECOND


def clean_text(text: str | None) -> str | None:
    """Return outside text for a text column: trade tokens masked, lone surrogates and NUL replaced."""
    if text is None:
        return None
    return mask_trade_urls(text).encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def is_storable(number: int) -> bool:
    """Return whether an integer column can hold ``number``."""
    return -_MAX_INTEGER <= number <= _MAX_INTEGER
