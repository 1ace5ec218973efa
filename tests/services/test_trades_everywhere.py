"""/trades over several providers: side by side, each trade once, and only what its reader may see."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace as altered

from bot.domain.access import Actor, Caller, Capability
from bot.domain.errors import AccessDenied, InvalidInput, ProviderError, ProviderOff, SkinDeskError, TradeUrlRejected
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.snapshots import TradesAnswer
from bot.domain.steam import SteamId
from bot.domain.trades import KeyLimit, NotAsked, Scope, Trade, TradeReading, TradeState, UnreadRow
from bot.services.snapshots import SnapshotService
from bot.services.trades import TradeService, TradesRequest
from tests.contracts.engines import Repositories
from tests.domain.builders import NOW, OWNER, trade, usd
from tests.fakes.trade_sources import FakeTradeSource, hints
from tests.services.members import AGENT, CUSTOMER, GUILD, Members
from tests.support.loop_time import pass_time_later

STRANGER = SteamId.from_account_id(77)
TOKEN = "SeCrEt12"
ASSETPAY, CLIENT, LEGACY, SKINSBACK, MANNCO = ProviderName


def url(account: SteamId) -> str:
    return f"https://steamcommunity.com/tradeoffer/new/?partner={account.account_id}&token={TOKEN}"


def deposit(
    provider: ProviderName, number: str, *, state: TradeState = TradeState.OFFERED, hours: int | None = 1, **facts: Any
) -> Trade:
    """Return a trade that was made some hours ago."""
    made = None if hours is None else NOW - timedelta(hours=hours)
    return trade(
        **{"provider": provider, "id": number, "status": state.value, "state": state, "created_at": made, "code": None}
        | {"offer_id": "", **facts}
    )


class Desk(Members):
    """Sources of every provider. The customer is linked to OWNER; Support may see every account."""

    def __init__(self, repositories: Repositories) -> None:
        super().__init__(repositories)
        self.sources = {name: FakeTradeSource(name) for name in ProviderName}
        self.service = self.with_sources(*self.sources)
        self.snapshots = self.restarted()

    def with_sources(self, *names: ProviderName, deadline: timedelta = timedelta(seconds=14)) -> TradeService:
        self.service = TradeService(
            sources=tuple(self.sources[name] for name in names),
            resending=None,
            access=self.access,
            links=self.repositories.links,
            audit=self.audit,
            hints=hints(),
            clock=self.clock,
            deadline=deadline,
        )
        return self.service

    def restarted(self) -> SnapshotService:
        """Return the snapshots of a new process."""
        return self.snapshots_of(self.service)

    def has(self, *trades: Trade) -> None:
        """Set what each source lists."""
        for name, source in self.sources.items():
            source.reading = replace(source.reading, trades=tuple(each for each in trades if each.provider is name))

    async def list_for(self, *, by: Actor, **options: Any) -> TradesAnswer:
        return await self.service.list_for(TradesRequest(**options), by=await self.access.viewer(by))

    async def refusal(self, *, by: Actor, **options: Any) -> SkinDeskError:
        """Return why a request is refused, without any call."""
        before = [len(source.asked) for source in self.sources.values()]
        with pytest.raises(SkinDeskError) as refused:
            await self.list_for(by=by, **options)
        assert before == [len(source.asked) for source in self.sources.values()]
        assert TOKEN not in str(refused.value)
        return refused.value

    async def views(self) -> list[tuple[str, dict[str, str]]]:
        """Return subject and details of the views in the log, oldest first."""
        rows = await self.repositories.audit.newest(GUILD, limit=1000)
        return [(row.subject, dict(row.detail)) for row in reversed(rows) if row.action.value == "trades.viewed"]


@pytest.fixture
async def desk(repositories: Repositories) -> Desk:
    return await prepared(repositories)


async def prepared(repositories: Repositories) -> Desk:
    opened = Desk(repositories)
    await opened.grant(Capability.TRADES_ANY)
    await opened.link(CUSTOMER, OWNER)
    return opened


def ids(answer: TradesAnswer) -> list[str]:
    return [each.id for each in answer.trades]


async def test_side_by_side(desk: Desk) -> None:
    """All are asked before one has answered, on the caller's behalf; the newest trade of all providers is first."""
    desk.has(deposit(MANNCO, "7", hours=3), deposit(CLIENT, "a", hours=None), deposit(SKINSBACK, "8", hours=2))
    for source in desk.sources.values():
        source.gate.clear()
    asked = asyncio.create_task(desk.list_for(by=CUSTOMER))
    await asyncio.gather(*(source.begun.wait() for source in desk.sources.values()))
    for source in desk.sources.values():
        source.gate.set()

    assert ids(await asked) == ["8", "7", "a"]
    callers = [source.callers for source in desk.sources.values()]
    assert callers == [[Caller(CUSTOMER.user_id, is_staff=False)]] * 5


async def test_one_hangs(desk: Desk) -> None:
    """At the deadline the others' trades are shown beside its failure."""
    desk.has(deposit(MANNCO, "7"))
    desk.sources[SKINSBACK].gate.clear()
    listing = asyncio.create_task(desk.list_for(by=CUSTOMER))
    await asyncio.gather(*(source.begun.wait() for source in desk.sources.values()))
    await pass_time_later(60.0)
    answer = await listing

    assert ids(answer) == ["7"]
    (failed,) = [part for part in answer.parts if part.failure is not None]
    assert (failed.provider, failed.failure and failed.failure.kind) == (SKINSBACK, FailureKind.TIMED_OUT)
    assert failed.failure is None or None not in (failed.failure.took, failed.reference)


async def test_one_trade_of_three_assetpays(desk: Desk) -> None:
    """It is shown once, as the last update has it, also where that one ends it; other providers' numbers are others."""
    for state, shown in ((TradeState.HELD, ["A1", "a1"]), (TradeState.COMPLETED, ["a1"])):
        desk.has(
            deposit(ASSETPAY, "a1", owner=None, updated_at=NOW + timedelta(hours=1)),
            deposit(CLIENT, "A1", state=state, updated_at=NOW),
            deposit(LEGACY, "a1", updated_at=NOW - timedelta(hours=1)),
            deposit(SKINSBACK, "a1", hours=5),
        )
        answer = await desk.list_for(by=AGENT)
        assert ids(answer) == shown
        assert ids(await desk.list_for(by=CUSTOMER)) == shown


@pytest.mark.parametrize("state", TradeState)
async def test_scope(desk: Desk, state: TradeState) -> None:
    """It narrows lists; a reference is found in every state."""
    desk.has(deposit(CLIENT, "a1", state=state))
    assert ids(await desk.list_for(by=CUSTOMER)) == (["a1"] if state.is_open else [])
    assert ids(await desk.list_for(by=CUSTOMER, scope=Scope.ALL)) == ["a1"]
    assert ids(await desk.list_for(by=CUSTOMER, reference="A1")) == ["a1"]
    assert desk.sources[CLIENT].asked[-1].scope is Scope.ALL


async def test_provider_option(desk: Desk) -> None:
    """``assetpay`` is all its ways to ask; an unknown or absent provider is refused."""
    answer = await desk.list_for(by=CUSTOMER, provider="assetpay")
    assert [part.provider for part in answer.parts] == [ASSETPAY, CLIENT, LEGACY]
    assert [name for name, source in desk.sources.items() if source.asked] == [ASSETPAY, CLIENT, LEGACY]
    for unknown in ("paypal", "assetpay_client"):
        assert isinstance(await desk.refusal(by=CUSTOMER, provider=unknown), InvalidInput)
    desk.with_sources(MANNCO)
    off = await desk.refusal(by=CUSTOMER, provider="skinsback")
    assert isinstance(off, ProviderOff)
    assert off.provider is SKINSBACK


@pytest.mark.parametrize(
    ("by", "options", "refusal"),
    [
        (CUSTOMER, {"trade_url": url(STRANGER)}, "trades.any"),
        (CUSTOMER, {"trade_url": url(STRANGER), "reference": "a1"}, "trades.any"),
        (CUSTOMER, {"steam_id": url(OWNER)}, "trades.any"),
        (CUSTOMER, {"trade_url": "steamcommunity.com/tradeoffer/5"}, "tradeurl: offer_link"),
        (AGENT, {"trade_url": url(STRANGER), "member_id": CUSTOMER.user_id}, "tradeurl: other_account"),
        (AGENT, {"trade_url": url(OWNER), "steam_id": str(STRANGER)}, "tradeurl: other_account"),
        (AGENT, {"trade_url": url(OWNER), "steam_id": url(STRANGER)}, "tradeurl: other_account"),
        (AGENT, {"trade_url": url(OWNER), "member_id": 99}, "member: not_linked"),
        (AGENT, {"reference": url(OWNER)}, "reference: trade_url"),
        (CUSTOMER, {"reference": "a,b"}, "reference: not_a_number"),
    ],
)
async def test_refused_without_a_call(desk: Desk, by: Actor, options: dict[str, Any], refusal: str) -> None:
    refused = await desk.refusal(by=by, **options)
    assert str(refused) == refusal
    if isinstance(refused, TradeUrlRejected):
        assert refused.has_to_be_own
    assert isinstance(refused, AccessDenied | InvalidInput)


@pytest.mark.parametrize(
    ("by", "options"),
    [
        (CUSTOMER, {"trade_url": url(OWNER)}),
        (AGENT, {"trade_url": url(OWNER)}),
        (AGENT, {"steam_id": url(OWNER)}),
        (AGENT, {"steam_id": str(OWNER), "trade_url": url(OWNER)}),
        (AGENT, {"member_id": CUSTOMER.user_id, "trade_url": url(OWNER), "reference": "a1"}),
    ],
)
async def test_trade_url(desk: Desk, by: Actor, options: dict[str, Any]) -> None:
    """It names the account, and its token reaches the providers and nothing else."""
    desk.has(deposit(CLIENT, "a1"), deposit(CLIENT, "a2", owner=STRANGER))
    answer = await desk.list_for(by=by, **options)

    assert ids(answer) == ["a1"]
    (query,) = desk.sources[CLIENT].asked
    assert query.trade_url is not None
    assert query.trade_url.canonical() == url(OWNER)
    assert TOKEN not in f"{answer} {query} {TradesRequest(**options)} {await desk.views()}"


THEIRS = deposit(SKINSBACK, "b1", owner=STRANGER, shop_reference="dep_9", offer_id="9088")


@pytest.mark.parametrize("trade_id", ["b1", "dep_9", "9088"])
@pytest.mark.parametrize("owner", [STRANGER, None])
@pytest.mark.parametrize("name", [ASSETPAY, SKINSBACK, MANNCO])
async def test_not_found_and_not_yours(desk: Desk, name: ProviderName, owner: SteamId | None, trade_id: str) -> None:
    """A customer gets the same answer, whatever the source told of another's trade, and so does the audit log."""
    answers = []
    for reading in (
        TradeReading(),
        TradeReading((altered(THEIRS, provider=name, owner=owner),)),
        TradeReading(unread=(UnreadRow("items[0].date", owner), UnreadRow("data"))),
        TradeReading(since=NOW, is_cut=True),
    ):
        desk.sources[name].reading = reading
        answers.append(await desk.list_for(by=CUSTOMER, reference=trade_id))
        opened = await desk.snapshots.open(answers[-1], by=await desk.access.viewer(CUSTOMER))
        assert opened.answer == answers[-1]
    assert answers == [answers[0]] * 4
    assert answers[0].trades == ()
    assert await desk.views() == []


async def test_rows_that_are_others(desk: Desk) -> None:
    """A customer's list counts the unread rows that are theirs; staff read of those that may be the account's."""
    rows = (UnreadRow("a", OWNER), UnreadRow("b", STRANGER), UnreadRow("c"))
    desk.with_sources(SKINSBACK)
    source = desk.sources[SKINSBACK]
    source.reading = TradeReading((deposit(SKINSBACK, "9", owner=None),), rows, limit=KeyLimit(STRANGER))

    async def told(by: Actor, **options: Any) -> tuple[list[str], list[str], KeyLimit | None]:
        answer = await desk.list_for(by=by, **options)
        return ids(answer), [row.place for row in answer.parts[0].unread], answer.parts[0].limit

    assert [await told(CUSTOMER), await told(CUSTOMER, reference="9")] == [([], ["a"], KeyLimit(None))] * 2
    assert await told(AGENT, steam_id=str(OWNER)) == ([], ["a", "c", "owner of 9"], KeyLimit(STRANGER))
    assert await told(AGENT) == (["9"], ["a", "b", "c"], KeyLimit(STRANGER))
    source.reading = replace(source.reading, of_account_alone=True, limit=None)
    assert await told(CUSTOMER, reference="9") == ([], ["a", "c", "owner of 9"], None)


async def test_failures(desk: Desk) -> None:
    """A single provider's failure is raised; beside another part, asked or not, or read trades, it is shown."""
    error = ProviderError(Failure(CLIENT, FailureKind.BROKEN))
    desk.sources[CLIENT].error = error
    desk.sources[ASSETPAY].missing = NotAsked.REFERENCE
    desk.with_sources(ASSETPAY, CLIENT)
    answer = await desk.list_for(by=CUSTOMER)
    assert [(part.not_asked, part.failure) for part in answer.parts] == [
        (NotAsked.REFERENCE, None),
        (None, error.failure),
    ]
    assert desk.sources[ASSETPAY].asked == []
    desk.with_sources(CLIENT)
    with pytest.raises(ProviderError):
        await desk.list_for(by=CUSTOMER)
    desk.sources[CLIENT].error = None
    desk.sources[CLIENT].reading = TradeReading((deposit(CLIENT, "a1"),), failure=error.failure)
    assert ids(await desk.list_for(by=CUSTOMER)) == ["a1"]


async def test_views(desk: Desk) -> None:
    """Staff's views are logged for each account whose trade is shown, by its number and not as it was typed."""
    desk.has(
        deposit(MANNCO, "1", shop_reference="x1"),
        deposit(SKINSBACK, "x1", owner=STRANGER),
        deposit(LEGACY, "X1", owner=None, hours=3),
    )
    await desk.list_for(by=AGENT, reference="#x1")
    ours, theirs = {"steam_id": str(OWNER), "scope": "all"}, {"steam_id": str(STRANGER), "scope": "all"}
    assert await desk.views() == [
        (f"steam:{STRANGER}", theirs | {"trade": "x1"}),
        ("user:1", ours | {"trade": "1"}),
        ("guild", {"scope": "all"}),
    ]
    await desk.list_for(by=AGENT, reference="x1", steam_id=str(STRANGER), provider="mannco")
    await desk.list_for(by=AGENT, reference=str(OWNER))
    assert (await desk.views())[3:] == [(f"steam:{STRANGER}", theirs)]


async def test_views_without_a_trade(desk: Desk) -> None:
    """A refusal tells something of the account; a provider that was not asked, or did not answer, tells nothing."""
    for kind, logged in ((FailureKind.REFUSED, 1), (FailureKind.TIMED_OUT, 1)):
        desk.sources[SKINSBACK].error = ProviderError(Failure(SKINSBACK, kind))
        with pytest.raises(ProviderError):
            await desk.list_for(by=AGENT, steam_id=str(OWNER), provider="skinsback")
        assert len(await desk.views()) == logged
    desk.sources[ASSETPAY].missing = NotAsked.REFERENCE
    desk.with_sources(ASSETPAY)
    await desk.list_for(by=AGENT, steam_id=str(OWNER))
    assert len(await desk.views()) == 1


async def test_merchant_amount(desk: Desk) -> None:
    """What a deposit brings the merchant is for staff, and no longer once they lost the right, after a restart too."""
    paid = deposit(SKINSBACK, "8", owner=STRANGER, merchant_amount=usd("12"), total=usd("10"))
    desk.sources[SKINSBACK].reading = TradeReading((paid,), (UnreadRow("b", OWNER), UnreadRow("c")))
    await desk.link(AGENT, STRANGER)
    answer = await desk.list_for(by=AGENT, steam_id=str(STRANGER), provider="skinsback")
    own = await desk.list_for(by=AGENT, own=True, provider="skinsback")
    snapshot = await desk.snapshots.open(answer, by=await desk.access.viewer(AGENT))
    await desk.snapshots.saved()
    assert (answer.trades[0].merchant_amount, own.trades[0].merchant_amount) == (usd("12"), None)
    assert (await desk.restarted().load(snapshot.id, by=AGENT)).answer == answer

    await desk.revoke(Capability.TRADES_ANY, role=7)
    for snapshots in (desk.snapshots, desk.restarted()):
        later = (await snapshots.load(snapshot.id, by=AGENT)).answer
        assert isinstance(later, TradesAnswer)
        assert [(each.total, each.merchant_amount) for each in later.trades] == [(usd("10"), None)]
        assert later.parts[0].unread == ()
