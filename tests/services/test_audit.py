"""Posts in the audit channel follow the action, and a slow or failed post delays no one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from bot.domain.access import Actor, Capability
from bot.domain.audit import AuditRow
from bot.domain.settings import GuildSettings, Setting
from bot.services import audit as audit_module
from bot.services.settings import SettingsService
from tests.contracts.engines import Repositories
from tests.domain.builders import NOW
from tests.services.members import GUILD, OTHER_GUILD, OWNER, SUPPORT, Members

CHANNEL = 9
OTHER_OWNER = Actor(OTHER_GUILD, 2, frozenset({OTHER_GUILD}), administers=True)


@dataclass
class Slow:
    """A channel whose posts arrive once the gate is open; each one releases ``asked``."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    posts: list[AuditRow] = field(default_factory=list)
    asked: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def post(self, row: AuditRow, *, channel_id: int) -> None:
        self.asked.release()
        await self.gate.wait()
        self.posts.append(row)


class Unreadable:
    """Settings that cannot be read."""

    async def of_guild(self, guild_id: int) -> GuildSettings:
        raise OSError("disk I/O error")


async def no_cards(_guild_id: int) -> None:
    """Stand in for the cards, which these tests do not have."""


class Services(Members):
    def __init__(self, repositories: Repositories) -> None:
        self.channel = Slow()
        super().__init__(repositories, self.channel)
        self.settings = SettingsService(
            settings=repositories.settings,
            access=self.access,
            audit=self.audit,
            clock=self.clock,
            show_language=no_cards,
        )


@pytest.fixture
async def services(repositories: Repositories) -> AsyncIterator[Services]:
    for guild_id in (GUILD, OTHER_GUILD):
        await repositories.settings.put(guild_id, Setting.AUDIT_CHANNEL, CHANNEL, by=1, at=NOW)
    opened = Services(repositories)
    yield opened
    await opened.audit.close(within=0.0)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "POSTED_WITHIN", 0.05)


@pytest.mark.usefixtures("patience")
async def test_post_hangs(services: Services) -> None:
    """The action waits for its post for a bounded time, and the post arrives all the same."""
    async with asyncio.timeout(30):
        assert (await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)).changed
    assert services.channel.posts == []

    services.channel.gate.set()
    await services.audit.close(within=5)
    assert [post.detail for post in services.channel.posts] == [{"capability": "trades.any"}]


async def test_shutdown(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shutdown lets no caller wait for a post, and the posts arrive all the same."""
    monkeypatch.setattr(audit_module, "POSTED_WITHIN", 60.0)
    waiting = asyncio.create_task(services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER))
    async with asyncio.timeout(30):
        await services.channel.asked.acquire()
        services.audit.begin_shutdown()
        assert (await waiting).changed
        await services.access.grant(SUPPORT, Capability.READ_AUDIT, by=OWNER)
    assert services.channel.posts == []

    services.channel.gate.set()
    await services.audit.close(within=5)
    assert len(services.channel.posts) == 2


async def test_actions_behind_a_post_that_hangs(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """They do not wait, while actions in another guild still wait for their own posts."""
    monkeypatch.setattr(audit_module, "POSTED_WITHIN", 0.05)
    capabilities = [each for each in Capability if each.value.endswith(".any")]
    await services.access.grant(SUPPORT, Capability.APPROVE_RESEND, by=OWNER)
    monkeypatch.setattr(audit_module, "POSTED_WITHIN", 3_600.0)
    async with asyncio.timeout(60):
        for capability in (*capabilities, Capability.READ_AUDIT):
            await services.access.grant(SUPPORT, capability, by=OWNER)

    elsewhere = asyncio.create_task(services.access.grant(SUPPORT, Capability.READ_AUDIT, by=OTHER_OWNER))
    await asyncio.sleep(0.1)
    assert not elsewhere.done()
    services.channel.gate.set()
    await elsewhere
    assert OTHER_GUILD in {post.guild_id for post in services.channel.posts}


async def test_settings_change_during_posts(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting whose post is slow blocks no other change, in this guild or another."""
    monkeypatch.setattr(audit_module, "POSTED_WITHIN", 60.0)
    changes = [
        asyncio.create_task(services.settings.set_approvals_channel(5, by=OWNER)),
        asyncio.create_task(services.settings.set_audit_channel(6, by=OWNER)),
        asyncio.create_task(services.settings.set_approvals_channel(7, by=OTHER_OWNER)),
    ]
    async with asyncio.timeout(30):
        for _ in changes:
            await services.channel.asked.acquire()

    assert await services.repositories.settings.of_guild(GUILD) == GuildSettings(GUILD, 5, 6)
    assert await services.repositories.settings.of_guild(OTHER_GUILD) == GuildSettings(OTHER_GUILD, 7, CHANNEL)
    services.channel.gate.set()
    assert await changes[1] == GuildSettings(GUILD, 5, 6)
    await asyncio.gather(*changes)


async def test_caller_cancelled(services: Services) -> None:
    """The action is posted all the same."""
    waiting = asyncio.create_task(services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER))
    await services.channel.asked.acquire()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    services.channel.gate.set()
    await services.audit.close(within=5)
    assert len(services.channel.posts) == 1


@pytest.mark.usefixtures("patience")
async def test_close(services: Services) -> None:
    """Closing waits no longer than given, and cancels the rest."""
    await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)

    async with asyncio.timeout(30):
        await services.audit.close(within=0.05)

    services.channel.gate.set()
    await asyncio.sleep(0)
    assert services.channel.posts == []
    assert services.audit._posting == set()


async def test_post_fails(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    """The action succeeds and the failure is logged."""
    services.audit._settings = Unreadable()  # type: ignore[assignment] # only of_guild is called

    assert (await services.access.grant(SUPPORT, Capability.TRADES_ANY, by=OWNER)).changed
    assert "audit entry not posted action=access.granted guild=100" in caplog.messages
