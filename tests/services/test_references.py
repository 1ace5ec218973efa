"""References of errors: saved beside the answers, found by the staff of their own server alone, each view logged."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.access import Actor, Capability
from bot.domain.audit import AuditAction
from bot.domain.references import KEPT_FOR, ErrorReference
from bot.services.references import ReferenceService
from tests.contracts.engines import Repositories
from tests.services.members import AGENT, CUSTOMER, GUILD, OTHER_GUILD, SUPPORT, Members


class Services(Members):
    """References over real storage, or over another one."""

    def __init__(self, repositories: Repositories, repository: Any = None, rows: Any = None) -> None:
        super().__init__(repositories)
        self.references = ReferenceService(
            repository=repository or repositories.references,
            access=self.access,
            rows=rows or repositories.audit,
            clock=self.clock,
        )

    def remember(self, reference: str = "041ee7", by: Actor = CUSTOMER) -> None:
        self.references.remember(
            reference,
            guild_id=by.guild_id,
            user_id=by.user_id,
            command="trades",
            error="PageExpired",
            title="⛔ This page has expired",
            failure=None,
        )

    async def views(self) -> list[tuple[int | None, str, str]]:
        rows = await self.repositories.audit.newest(GUILD, limit=9, action=AuditAction.REFERENCE_VIEWED)
        return [(row.actor_id, row.subject, row.detail["reference"]) for row in rows]


@pytest.fixture
async def services(repositories: Repositories) -> Services:
    opened = Services(repositories)
    await opened.grant(Capability.TRADES_ANY)
    return opened


@pytest.mark.parametrize(
    "asked", ["041ee7", " 041EE7 ", "#041ee7", "I got this:\nReference 041ee7", "reference: 041ee7"]
)
async def test_found(services: Services, asked: str) -> None:
    """Staff find an error however its reference is written, before and after it is saved; each view is logged."""
    services.remember()
    at_once = await services.references.find(asked, by=AGENT)
    await services.references.saved()
    saved = await services.references.find(asked, by=AGENT)

    assert at_once == saved
    assert saved is not None
    assert (saved.user_id, saved.command, saved.at) == (CUSTOMER.user_id, "trades", services.clock.now())
    assert await services.views() == [(AGENT.user_id, f"user:{CUSTOMER.user_id}", "041ee7")] * 2


async def test_not_found(services: Services) -> None:
    """To everyone else, in other servers and after a week it is a word like any other, and nothing is logged."""
    services.remember()
    elsewhere = Actor(OTHER_GUILD, AGENT.user_id, frozenset({OTHER_GUILD, SUPPORT}))
    await services.grant(Capability.TRADES_ANY, guild_id=OTHER_GUILD)
    every_other = Actor(GUILD, 9, frozenset({GUILD, 70}))
    await services.grant(*(each for each in Capability if each is not Capability.TRADES_ANY), role=70)

    for by in (CUSTOMER, every_other, elsewhere):
        assert await services.references.find("041ee7", by=by) is None
    for asked in ("041ee8", "041ee", "041ee7a", "reference", "x041ee7"):
        assert await services.references.find(asked, by=AGENT) is None
    await services.references.saved()
    services.clock.advance(days=7)
    assert await services.references.find("041ee7", by=AGENT) is None
    assert await services.views() == []
    await services.references.purge()
    assert (
        await services.repositories.references.of_user(
            GUILD, CUSTOMER.user_id, since=services.clock.now() - 2 * KEPT_FOR
        )
        == ()
    )


async def test_own(services: Services) -> None:
    """One's own error is no view of another's."""
    services.remember(by=AGENT)

    assert await services.references.find("041ee7", by=AGENT) is not None
    assert await services.views() == []


class Full:
    """A log that takes no more rows."""

    async def append(self, _: object) -> None:
        raise OSError(28, "no space left")


async def test_not_shown_unless_logged(repositories: Repositories) -> None:
    """If the view cannot be logged, nothing is shown."""
    services = Services(repositories, rows=Full())
    await services.grant(Capability.TRADES_ANY)
    services.remember()

    with pytest.raises(OSError, match="no space left"):
        await services.references.find("041ee7", by=AGENT)


class Hanging:
    """A repository whose disk never answers, until it fails; it notes how much it is given."""

    def __init__(self) -> None:
        self.given: asyncio.Queue[int] = asyncio.Queue()
        self.goes_on = asyncio.Event()

    async def save(self, *errors: ErrorReference) -> None:
        self.given.put_nowait(len(errors))
        await self.goes_on.wait()
        raise OSError


async def test_storage_down(repositories: Repositories, caplog: pytest.LogCaptureFixture) -> None:
    """No answer waits for the disk or fails with it, and what waits is bounded: a member's own oldest go first."""
    hanging = Hanging()
    services = Services(repositories, hanging)
    services.remember("aaaaaa", by=AGENT)
    for number in range(5_000):
        services.remember(f"{number:06x}")

    assert await hanging.given.get() == 51
    hanging.goes_on.set()
    await services.references.saved()
    assert "references not saved count=51 error=OSError" in caplog.text


async def test_many_members(repositories: Repositories) -> None:
    """Very many members at once fill no memory either."""
    hanging = Hanging()
    services = Services(repositories, hanging)
    for number in range(3_000):
        services.remember(f"{number:06x}", by=Actor(GUILD, number, frozenset()))

    assert await hanging.given.get() == 1_000
    hanging.goes_on.set()
    await services.references.saved()


async def test_evicted(services: Services) -> None:
    """An erasure takes a member's errors from memory, and no others."""
    services.remember()
    services.remember("b1b2b3", by=AGENT)
    services.references.evict(GUILD, CUSTOMER.user_id)
    await services.references.saved()
    since = services.clock.now() - timedelta(days=1)

    assert await services.repositories.references.of_user(GUILD, CUSTOMER.user_id, since=since) == ()
    assert len(await services.repositories.references.of_user(GUILD, AGENT.user_id, since=since)) == 1
