"""Each GuildSettingsRepository stores a guild's channels and role, with audit rows."""

import asyncio

from bot.domain.audit import AuditAction
from bot.domain.settings import GuildSettings, Setting
from bot.ports import AuditRepository, GuildSettingsRepository
from tests.contracts.samples import ADA, BEN, GUILD, NOW, OTHER_GUILD

APPROVALS, AUDIT, ROLE = Setting.APPROVALS_CHANNEL, Setting.AUDIT_CHANNEL, Setting.APPROVALS_ROLE


async def test_set(guild_settings: GuildSettingsRepository, audit: AuditRepository) -> None:
    """Each setting has its own audit row; other guilds keep theirs."""
    assert await guild_settings.put(GUILD, APPROVALS, 5, by=ADA, at=NOW)
    assert await guild_settings.put(GUILD, AUDIT, 6, by=ADA, at=NOW)
    assert await guild_settings.put(GUILD, ROLE, 7, by=ADA, at=NOW)

    assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD, 5, 6, 7)
    assert await guild_settings.of_guild(OTHER_GUILD) == GuildSettings(OTHER_GUILD)

    third, second, first = await audit.newest(GUILD, limit=10)

    assert first.detail == {"setting": "approvals-channel", "channel": "5"}
    assert second.detail == {"setting": "audit-channel", "channel": "6"}
    assert third.detail == {"setting": "approvals-role", "role": "7"}
    assert (second.action, second.actor_id, second.at) == (AuditAction.SETTINGS_CHANGED, ADA, NOW)
    assert second.subject == "guild"


async def test_the_same_again(guild_settings: GuildSettingsRepository, audit: AuditRepository) -> None:
    """Setting the same value again, or clearing an empty setting, has no audit row."""
    await guild_settings.put(GUILD, AUDIT, 6, by=ADA, at=NOW)

    assert not await guild_settings.put(GUILD, AUDIT, 6, by=BEN, at=NOW)
    assert not await guild_settings.put(GUILD, APPROVALS, None, by=BEN, at=NOW)
    assert not await guild_settings.put(OTHER_GUILD, APPROVALS, None, by=BEN, at=NOW)
    assert [row.actor_id for row in await audit.newest(GUILD, limit=10)] == [ADA]
    assert await audit.newest(OTHER_GUILD, limit=10) == []


async def test_cleared(guild_settings: GuildSettingsRepository, audit: AuditRepository) -> None:
    """A setting can be cleared, with an audit row."""
    await guild_settings.put(GUILD, AUDIT, 6, by=ADA, at=NOW)
    assert await guild_settings.put(GUILD, AUDIT, None, by=ADA, at=NOW)

    assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD)
    assert (await audit.newest(GUILD, limit=1))[0].detail == {"setting": "audit-channel", "channel": "none"}


async def test_both_at_once(guild_settings: GuildSettingsRepository) -> None:
    """Concurrent changes of different settings do not undo each other."""
    for number in range(1, 11):
        await asyncio.gather(
            guild_settings.put(GUILD, APPROVALS, number, by=ADA, at=NOW),
            guild_settings.put(GUILD, AUDIT, -number, by=BEN, at=NOW),
        )
        assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD, number, -number)
