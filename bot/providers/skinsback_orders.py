"""All deposits of the last 14 days: one walk through SkinsBack's ``orders`` for all callers (trades.md, 3.2)."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from bot.domain.access import SKINDESK, WATCHES, current_caller, on_behalf_of
from bot.domain.errors import Overloaded, ProviderError
from bot.domain.failures import CALLERS_OWN, Failure, FailureKind, ProviderName
from bot.domain.steam import SteamId
from bot.domain.trades import Trade, UnreadRow
from bot.providers.reading import Fields, Unreadable
from bot.providers.resilience import ResilientProvider
from bot.providers.rows import Id, Integer, listed, read_row
from bot.providers.skinsback import Shop, check_error
from bot.providers.skinsback_deposits import deposit_from
from bot.single_flight import SingleFlight
from bot.worker import current_person

WINDOW = timedelta(days=14)
"""The eight days of a hold, and some slack."""
KEPT_FOR = timedelta(minutes=1)
"""How long a whole walk serves further callers, counted from its end."""
RETRY_AFTER = timedelta(seconds=10)
"""How long after a failure the next walk begins at the earliest."""
MOST_PAGES = 50
DEADLINE = timedelta(seconds=13.5)
"""For a walk. More than a page has for its tries, so that a first page that hangs counts for the circuit; less than the
14 s after which ``/trades`` waits for no provider, so that its callers still get what was read."""
_METHOD = "orders"


class PageRow(TypedDict, total=False):
    """The paging fields of a page; each may be missing."""

    total_count: Integer | None
    has_more: bool | None
    start_from: Id | None


_PAGE = TypeAdapter(PageRow)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of ``orders``. ``start_from`` names the next one."""

    rows: tuple[Trade | UnreadRow, ...]
    total_count: int | None
    has_more: bool | None
    start_from: str


@dataclass(frozen=True, slots=True)
class Deposits:
    """The deposits since ``since`` that a walk read: those of each account, and of no readable one.

    ``is_cut``: SkinsBack has more of them. ``failure`` is what ended the walk early.
    """

    since: datetime
    by_owner: dict[SteamId | None, list[Trade]]
    unread: tuple[UnreadRow, ...]
    is_cut: bool
    failure: Failure | None = None

    def of(self, account: SteamId | None) -> Iterable[Trade]:
        """Return the deposits of an account and those without a readable one; for None everyone's."""
        if account is None:
            return chain.from_iterable(self.by_owner.values())
        return chain(self.by_owner.get(account, ()), self.by_owner.get(None, ()))


def orders_form(since: datetime, until: datetime, start_from: str = "") -> list[tuple[str, str]]:
    """Return the parameters of a page."""
    form = [("method", _METHOD), ("starting", _seconds(since)), ("ending", _seconds(until))]
    return [*form, ("start_from", start_from)] if start_from else form


def read_page(answer: Fields) -> Page:
    """Read a page; Refused for an error, Unreadable without a list.

    No page of SkinsBack's shows its ``status``, so any other word than "error" is taken.
    """
    check_error(answer, _METHOD)
    if "items" not in answer.values:
        raise Unreadable("items")
    rows = listed(answer.values["items"], "items")
    answer.says_success = True
    values = {name: answer.values.get(name) for name in PageRow.__annotations__}
    page = read_row(_PAGE, values, _METHOD, answer.note) or PageRow()
    return Page(
        tuple(deposit_from(value, f"items[{index}]", answer.note) for index, value in enumerate(rows)),
        page.get("total_count"),
        page.get("has_more"),
        page.get("start_from") or "",
    )


class Orders:
    """The shop's deposits, shared by all callers.

    A whole walk serves callers for a minute after its end. A failed one serves those who waited for it, also with what
    it had read by then; until ``RETRY_AFTER`` is over, further callers get its failure at once.

    The list stays in memory until the next walk. Measured: 2,500 deposits take 0.2 s and 6 MB; 50,000, as many as the
    most pages hold, 4 s and 50 MB. The event loop stands still for at most 55 ms.
    """

    def __init__(self, shop: Shop, resilience: ResilientProvider, *, deadline: timedelta = DEADLINE) -> None:
        self._shop = shop
        self._resilience = resilience
        resilience.operations.add("deposits")
        self._clock = shop.transport.clock
        self._deadline = deadline
        self._walks: SingleFlight[None, Deposits] = SingleFlight()
        self._latest: Deposits | Failure | None = None
        self._until = 0.0

    async def read(self) -> Deposits:
        """Return the latest deposits, from a walk for which no caller's limits count; ProviderError otherwise.

        A walk that only watched trades need leaves the staff's reserve alone.
        """
        left = self._until - self._clock.monotonic()
        match self._latest:
            case Deposits() as kept if left > 0:
                return kept
            case Failure() as failure if left > 0:
                raise ProviderError(replace(failure, retry_after=timedelta(seconds=left), took=None))
        with on_behalf_of(WATCHES if current_caller() == WATCHES else SKINDESK):
            return await self._walks.run(None, self._walk)

    async def close(self) -> None:
        """End the walk in progress."""
        await self._walks.close()

    async def _walk(self) -> Deposits:
        current_person.set(None)  # its pages are read on the worker in SkinDesk's turn, not in that of who came first
        self._latest = None
        try:
            found = await self._pages()
        except ProviderError as error:
            self._keep(error.failure, RETRY_AFTER)
            raise
        self._keep(found.failure or found, RETRY_AFTER if found.failure else KEPT_FOR)
        return found

    def _keep(self, latest: Deposits | Failure, period: timedelta) -> None:
        """Keep the result for further callers, but not that watches may not ask now: others may."""
        if isinstance(latest, Failure) and latest.kind in CALLERS_OWN and current_caller() == WATCHES:
            return
        self._latest = latest
        self._until = self._clock.monotonic() + period.total_seconds()

    async def _pages(self) -> Deposits:
        """Read page by page; ProviderError if the first one fails.

        What ``start_from`` counts is not documented: it has to change, and a page has to bring a deposit that no
        earlier one had. A deposit that comes twice is the first one: pages shift while customers deposit.
        """
        until = self._clock.now()
        found = _Found(until - WINDOW)
        ends = asyncio.get_running_loop().time() + self._deadline.total_seconds()
        start_from, used = "", {"", "0"}
        pages = 0
        while True:
            form = orders_form(found.since, until, start_from)
            try:
                async with asyncio.timeout_at(ends):
                    page = await self._resilience.read("deposits", None, self._shop.ask, form, read_page)
            except (ProviderError, TimeoutError, Overloaded) as error:
                failure = _failure_of(error)
                if not pages:
                    raise ProviderError(failure) from None
                return found.deposits(is_cut=True, failure=failure)
            pages += 1
            brings_new = found.add(page)
            if not found.has_more(page):
                return found.deposits(is_cut=False)
            if pages == MOST_PAGES or not brings_new or page.start_from in used:
                return found.deposits(is_cut=not found.has_all(page))
            start_from = page.start_from
            used.add(start_from)


class _Found:
    """Collects the deposits of a walk, each once."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self._by_owner: dict[SteamId | None, list[Trade]] = {}
        self._ids: set[str] = set()
        self._unread: list[UnreadRow] = []

    def add(self, page: Page) -> bool:
        """Add a page's rows; return whether any is new. One that cannot be read counts as new."""
        before = self._count
        for row in page.rows:
            if isinstance(row, UnreadRow):
                self._unread.append(row)
            elif row.id not in self._ids:
                self._ids.add(row.id)
                self._by_owner.setdefault(row.owner, []).append(row)
        return self._count > before

    def has_more(self, page: Page) -> bool:
        """Return whether the page says that another one follows."""
        return page.total_count is not None and not self.has_all(page) if page.has_more is None else page.has_more

    def has_all(self, page: Page) -> bool:
        """Return whether the page's count of all deposits is reached."""
        return page.total_count is not None and self._count >= page.total_count

    def deposits(self, *, is_cut: bool, failure: Failure | None = None) -> Deposits:
        return Deposits(self.since, self._by_owner, tuple(self._unread), is_cut, failure)

    @property
    def _count(self) -> int:
        return len(self._ids) + len(self._unread)


def _failure_of(error: ProviderError | TimeoutError | Overloaded) -> Failure:
    if isinstance(error, ProviderError):
        return error.failure
    is_late = isinstance(error, TimeoutError)
    return Failure(ProviderName.SKINSBACK, FailureKind.TIMED_OUT if is_late else FailureKind.BUSY)


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))
