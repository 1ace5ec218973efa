"""Mannco.store's lists as a source of trades: which ones are asked for, and what they say of an account."""

from collections.abc import Callable

import pytest

from bot.domain.errors import Overloaded, ProviderError
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.resends import BeforeSend, Receipt
from bot.domain.steam import SteamId
from bot.domain.trades import KeyLimit, Scope, TradeList, TradeQuery, TradeReading, TradeReference
from bot.providers.mannco_source import ManncoSource
from tests.domain.builders import OWNER, trade

STRANGER = SteamId.from_account_id(77)
OLD, NEW, THEIRS = trade(id=7, status=3), trade(id=8, status=0), trade(id=9, owner=STRANGER, status=3)


class Lists:
    """An administrator's key: everyone's list lacks the old trade, that of its owner has it."""

    name = ProviderName.MANNCO
    per_account = True

    def __init__(self) -> None:
        self.asked: list[tuple[Scope, SteamId | None]] = []
        self.all_fail: Exception | None = None

    async def trades(self, scope: Scope, account: SteamId | None = None) -> TradeList:
        self.asked.append((scope, account))
        if scope is Scope.ALL and self.all_fail is not None:
            raise self.all_fail
        everyones = (NEW, THEIRS) if scope is Scope.ALL else (NEW,)
        return TradeList({None: everyones, OWNER: (NEW, OLD)}.get(account, ()), account=account, per_account=True)

    def owner_of(self, trade_id: int) -> SteamId | None:
        return {7: OWNER, 8: OWNER}[trade_id]

    async def resend(self, trade_id: int, *, before_send: BeforeSend | None = None) -> Receipt:
        raise AssertionError


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.mark.parametrize(
    ("number", "account", "asked", "found"),
    [
        ("7", None, [None, OWNER], ["8", "7"]),
        ("8", None, [None], ["8", "9"]),
        ("7", OWNER, [OWNER], ["8", "7"]),
        ("7", STRANGER, [STRANGER], []),
        ("9" * 20, None, [None], ["8", "9"]),
        ("\u0667", None, [None], ["8", "9"]),
        ("dep_1", None, [None], ["8", "9"]),
    ],
)
async def test_reference(
    lists: Lists, number: str, account: SteamId | None, asked: list[SteamId | None], found: list[str]
) -> None:
    """Everyone's list is asked for once; for a trade that it lacks the list of its owner, if it is remembered."""
    reading = await ManncoSource(lists).read(TradeQuery(account=account, reference=TradeReference(number)))

    assert lists.asked == [(Scope.ALL, each) for each in asked]
    assert [each.id for each in reading.trades] == found
    assert reading.of_account_alone is (asked[-1] is not None)


@pytest.mark.parametrize(
    "fails", [None, lambda: ProviderError(Failure(ProviderName.MANNCO, FailureKind.BROKEN)), Overloaded, TimeoutError]
)
async def test_waiting(lists: Lists, fails: Callable[[], Exception] | None) -> None:
    """If the waiting trades do not show whose the key sees, all of them do, if they can be read."""
    lists.all_fail = None if fails is None else fails()

    reading = await ManncoSource(lists).read(TradeQuery(Scope.ACTIVE))

    assert lists.asked == [(Scope.ACTIVE, None), (Scope.ALL, None)]
    assert reading == TradeReading((NEW,), limit=None if fails is None else KeyLimit(OWNER, per_account=True))
