"""What staff see of a customer: for holders of ``trades.any``, logged first, complete although a provider fails."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.access import Actor, Capability
from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.customers import Customer, CustomerKey
from bot.domain.errors import AccessDenied, InvalidInput, NoteNotFound, ProviderError, TooManyNotes, TradeUrlRejected
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.links import Link, LinkSource
from bot.domain.notes import MAX_NOTE, NOTES_AT_MOST
from bot.domain.resends import ResendState
from bot.domain.steam import SteamId
from bot.domain.trades import Trade
from bot.services.customers import CustomerRequest, CustomerService
from bot.services.trades import TradeService
from tests.contracts import samples
from tests.contracts.engines import Repositories
from tests.domain.builders import NOW, trade
from tests.fakes.trade_sources import FakeTradeSource, hints
from tests.services.members import AGENT, CUSTOMER, GUILD, Members
from tests.support.loop_time import pass_time_later

ACCOUNT, OTHER = SteamId.from_account_id(11), SteamId.from_account_id(12)
COLLEAGUE = Actor(GUILD, 4, AGENT.role_ids)
LEAD = Actor(GUILD, 5, frozenset({*AGENT.role_ids, 8}))
TRADE_URL = f"https://steamcommunity.com/tradeoffer/new/?partner={ACCOUNT.account_id}&token=SeCrEt12"
MIA = CustomerKey(CUSTOMER.user_id, ACCOUNT)


class ReadOnly:
    """An audit log that cannot be appended to."""

    def __init__(self, repositories: Repositories) -> None:
        self._rows = repositories.audit

    async def append(self, entry: AuditEntry) -> None:
        raise OSError("disk full")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)


class Desk(Members):
    """A desk with two providers. The customer is linked to ACCOUNT."""

    def __init__(self, repositories: Repositories, *trades: Trade) -> None:
        super().__init__(repositories)
        self.mannco = FakeTradeSource(ProviderName.MANNCO, *trades)
        self.skinsback = FakeTradeSource(ProviderName.SKINSBACK)
        self.customers = self.service()

    def service(self, *, deadline: timedelta = timedelta(seconds=14)) -> CustomerService:
        links = self.repositories.links
        common: dict[str, Any] = {"access": self.access, "links": links, "audit": self.audit, "clock": self.clock}
        trades = TradeService(
            sources=(self.mannco, self.skinsback), resending=None, hints=hints(), deadline=deadline, **common
        )
        return CustomerService(
            trades=trades,
            resends=self.repositories.resends,
            notes=self.repositories.notes,
            errors=self.repositories.references,
            rows=self.repositories.audit,
            **common,
        )

    async def show(self, *, by: Actor = AGENT, **request: Any) -> Customer:
        return await self.customers.show(CustomerRequest(**request), by=by)

    async def views(self) -> list[tuple[int | None, str, str]]:
        """Return actor, action and subject of the views in the log, the oldest first."""
        rows = await self.repositories.audit.newest(GUILD, limit=99)
        return [(row.actor_id, row.action.value, row.subject) for row in reversed(rows) if "viewed" in row.action]


@pytest.fixture
async def desk(repositories: Repositories) -> Desk:
    opened = Desk(repositories, trade(owner=ACCOUNT), trade(id=9, owner=OTHER))
    await opened.grant(Capability.TRADES_ANY)
    await opened.grant(Capability.MANAGE_ACCESS, role=8)
    await opened.link(CUSTOMER, ACCOUNT)
    return opened


async def test_member_and_account(desk: Desk) -> None:
    """A member, their SteamID and their trade URL lead to the same customer: their trades and no one else's."""
    for request in ({"member_id": CUSTOMER.user_id}, {"steam_id": str(ACCOUNT)}, {"steam_id": f"<{TRADE_URL}>"}):
        customer = await desk.show(**request)

        assert customer.key == MIA
        assert customer.link is not None
        assert customer.answer is not None
        assert [each.owner for each in customer.answer.trades] == [ACCOUNT]
    assert desk.mannco.asked[-1].trade_url is not None, "AssetPay lists trades only with it"


async def test_half_a_customer(desk: Desk) -> None:
    """A member without an account and an account without a member are shown as they are."""
    member = await desk.show(member_id=COLLEAGUE.user_id)
    account = await desk.show(steam_id=str(OTHER))

    assert (member.key, member.link, member.answer) == (CustomerKey(COLLEAGUE.user_id), None, None)
    assert (account.key, account.link) == (CustomerKey(steam_id=OTHER), None)
    assert account.answer is not None
    assert [each.id for each in account.answer.trades] == ["9"]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({}, InvalidInput),
        ({"member_id": 1, "steam_id": str(ACCOUNT)}, InvalidInput),
        ({"steam_id": "nobody"}, InvalidInput),
        ({"steam_id": TRADE_URL.replace("steamcommunity.com", "steamcommunlty.com")}, TradeUrlRejected),
    ],
)
async def test_unusable_request(desk: Desk, request_: dict[str, Any], error: type[Exception]) -> None:
    """Who is meant has to be clear; nothing is read or logged before."""
    with pytest.raises(error):
        await desk.show(**request_)

    assert await desk.views() == []


async def test_every_view_is_logged_once(desk: Desk) -> None:
    """The page and the list of notes are one row each, about the member, or the account if it has none."""
    await desk.show(member_id=CUSTOMER.user_id)
    await desk.show(steam_id=str(OTHER))
    await desk.show(member_id=COLLEAGUE.user_id)
    await desk.customers.notes(MIA, by=AGENT)

    viewed = AuditAction.CUSTOMER_VIEWED.value
    subjects = [f"user:{CUSTOMER.user_id}", f"steam:{OTHER}", f"user:{COLLEAGUE.user_id}", f"user:{CUSTOMER.user_id}"]
    assert await desk.views() == [(AGENT.user_id, viewed, subject) for subject in subjects]


async def test_looking_at_oneself(desk: Desk) -> None:
    """Staff who look at themselves leave no row, unless they linked the account to themselves, which proves nothing."""
    await desk.show(member_id=AGENT.user_id)
    assert await desk.views() == []

    await desk.repositories.links.put(Link(GUILD, AGENT.user_id, OTHER, LinkSource.STAFF, AGENT.user_id, NOW))
    await desk.show(member_id=AGENT.user_id)
    assert len(await desk.views()) == 1


async def test_nothing_without_its_row(desk: Desk) -> None:
    """If the view cannot be logged, nothing is shown and no provider is asked."""
    desk.audit._rows = ReadOnly(desk.repositories)  # type: ignore[assignment]
    for view in (desk.show(member_id=CUSTOMER.user_id), desk.customers.notes(MIA, by=AGENT)):
        with pytest.raises(OSError, match="disk full"):
            await view

    assert desk.mannco.asked == []


@pytest.mark.parametrize(
    "use",
    [
        lambda service, by: service.show(CustomerRequest(member_id=CUSTOMER.user_id), by=by),
        lambda service, by: service.trades_of(MIA, by=by),
        lambda service, by: service.check(by=by),
        lambda service, by: service.check_inventory(by=by),
        lambda service, by: service.notes(MIA, by=by),
        lambda service, by: service.add_note(MIA, "hello", by=by),
        lambda service, by: service.remove_note(MIA, 1, by=by),
    ],
)
async def test_rights(desk: Desk, use: Callable[[CustomerService, Actor], Awaitable[object]]) -> None:
    """Nothing works without ``trades.any``, for the customer themselves neither."""
    for by in (CUSTOMER, replace(AGENT, role_ids=frozenset({GUILD}))):
        with pytest.raises(AccessDenied) as refused:
            await use(desk.customers, by)

        assert refused.value.capability is Capability.TRADES_ANY
    assert await desk.repositories.notes.of_customer(GUILD, MIA) == ()
    assert await desk.views() == []


async def test_right_lost_meanwhile(desk: Desk) -> None:
    """A right that is revoked while the providers are asked shows nothing."""
    desk.mannco.gate.clear()
    showing = asyncio.create_task(desk.show(member_id=CUSTOMER.user_id))
    await desk.mannco.begun.wait()
    await desk.revoke(Capability.TRADES_ANY, role=7)
    desk.mannco.gate.set()

    with pytest.raises(AccessDenied):
        await showing


async def test_failing_providers(desk: Desk) -> None:
    """Failing providers are a part of the answer, also if all fail or if there is only one."""
    failure = Failure(ProviderName.SKINSBACK, FailureKind.BROKEN)
    desk.skinsback.error = ProviderError(failure)
    answer = (await desk.show(member_id=CUSTOMER.user_id)).answer
    assert answer is not None
    assert [part.failure for part in answer.parts] == [None, failure]
    assert len(answer.trades) == 1

    desk.mannco.error = ProviderError(failure)
    answer = (await desk.show(member_id=CUSTOMER.user_id)).answer
    assert answer is not None
    assert answer.trades == ()
    assert all(part.failure and part.reference for part in answer.parts)


async def test_hanging_provider(desk: Desk) -> None:
    """A provider that hangs is timed out as in /trades; everything else is there."""
    desk.skinsback.gate.clear()
    showing = asyncio.create_task(desk.show(member_id=CUSTOMER.user_id))
    await asyncio.gather(desk.mannco.begun.wait(), desk.skinsback.begun.wait())
    await pass_time_later(60.0)
    answer = (await showing).answer

    assert answer is not None
    assert [part.failure and part.failure.kind for part in answer.parts] == [None, FailureKind.TIMED_OUT]
    assert len(answer.trades) == 1


async def test_former_holders(desk: Desk) -> None:
    """An account that changed hands names its former holder, and a member their former account."""
    await desk.link(CUSTOMER, OTHER)
    await desk.link(COLLEAGUE, ACCOUNT)
    now_theirs = await desk.show(steam_id=str(ACCOUNT))
    hers = await desk.show(member_id=CUSTOMER.user_id)

    assert now_theirs.former_holders == (CUSTOMER.user_id,)
    assert hers.former_accounts == (ACCOUNT,)
    desk.clock.advance(hours=73)
    assert (await desk.show(steam_id=str(ACCOUNT))).former_holders == ()


async def test_requests_and_views(desk: Desk) -> None:
    """The page has the customer's requests, open and ended, and who looked before."""
    ours = replace(samples.draft(trade_id=1), guild_id=GUILD, owner=ACCOUNT, owner_user_id=CUSTOMER.user_id)
    denied = await samples.in_state(desk.repositories.resends, ResendState.DENIED, asked_for=ours)
    await desk.grant(Capability.RESEND_ANY)
    pending = await samples.opened(desk.repositories.resends, asked_for=replace(ours, trade_id=123456))
    await desk.show(by=COLLEAGUE, member_id=CUSTOMER.user_id)
    customer = await desk.show(member_id=CUSTOMER.user_id)

    assert [each.id for each in customer.resends] == [pending.id, denied.id]
    assert [each.id for each in customer.open_resends] == [pending.id]
    assert customer.newest_resendable is None, "it was asked for already"
    assert [row.actor_id for row in customer.views] == [COLLEAGUE.user_id]


async def test_trade_to_ask_for(desk: Desk) -> None:
    """The newest trade that can be sent again is offered to those who may ask for it."""
    assert (await desk.show(member_id=CUSTOMER.user_id)).newest_resendable is None
    await desk.grant(Capability.RESEND_ANY)
    offered = (await desk.show(member_id=CUSTOMER.user_id)).newest_resendable

    assert offered is not None
    assert offered.id == "123456"


async def test_last_errors(desk: Desk) -> None:
    """The page has the references of the member's errors of the last 7 days, and no one else's."""
    old, young = timedelta(days=7), timedelta(days=6)
    for number, (user_id, age) in enumerate(((CUSTOMER.user_id, old), (CUSTOMER.user_id, young), (9, young))):
        error = samples.error(f"a1b2c{number}", guild_id=GUILD, user_id=user_id, at=desk.clock.now() - age)
        await desk.repositories.references.save(error)

    assert [each.reference for each in (await desk.show(member_id=CUSTOMER.user_id)).errors] == ["a1b2c1"]
    assert (await desk.show(steam_id=str(OTHER))).errors == ()


async def test_notes(desk: Desk) -> None:
    """A note is stored without trade tokens, and everyone with the right reads it."""
    added = await desk.customers.add_note(MIA, f"  polite, uses {TRADE_URL}  ", by=AGENT)
    read = await desk.customers.notes(MIA, by=COLLEAGUE)

    assert added.notes == read.notes == (await desk.show(member_id=CUSTOMER.user_id)).notes.notes
    assert added.notes[0].text.startswith("polite, uses https://")
    assert "SeCrEt12" not in added.notes[0].text
    assert (added.removable, read.removable) == (frozenset({added.notes[0].id}), frozenset())


@pytest.mark.parametrize("text", ["", "  \n", "x" * (MAX_NOTE + 1)])
async def test_unusable_note(desk: Desk, text: str) -> None:
    """A note has some text, and not too much."""
    with pytest.raises(InvalidInput):
        await desk.customers.add_note(MIA, text, by=AGENT)


async def test_too_many_notes(desk: Desk) -> None:
    """A customer has no more notes than one message shows."""
    for number in range(NOTES_AT_MOST):
        await desk.customers.add_note(MIA, f"note {number}", by=AGENT)

    with pytest.raises(TooManyNotes):
        await desk.customers.add_note(MIA, "one more", by=COLLEAGUE)


async def test_removing_notes(desk: Desk) -> None:
    """Authors remove their own notes, holders of ``access.manage`` anyone's; another's is as if it were not there."""
    number, other = [(await desk.customers.add_note(MIA, text, by=AGENT)).notes[0].id for text in ("one", "two")]
    for note_id in (number, 999):
        with pytest.raises(NoteNotFound):
            await desk.customers.remove_note(MIA, note_id, by=COLLEAGUE)

    left = await desk.customers.remove_note(MIA, number, by=AGENT)
    assert [note.id for note in left.notes] == [other]
    assert (await desk.customers.remove_note(MIA, other, by=LEAD)).notes == ()


async def test_notes_on_oneself(desk: Desk) -> None:
    """Staff who read the notes on themselves learn no colleague's name, as in their export."""
    key = CustomerKey(AGENT.user_id)
    await desk.customers.add_note(key, "asks a lot", by=COLLEAGUE)

    assert (await desk.customers.notes(key, by=AGENT)).hides_authors
    assert not (await desk.customers.notes(key, by=COLLEAGUE)).hides_authors
