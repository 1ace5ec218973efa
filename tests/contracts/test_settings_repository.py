"""What every GuildSettingsRepository does."""

import asyncio

from bot.domain.audit import AuditAction
from bot.domain.settings import GuildSettings, Setting
from bot.ports import AuditRepository, GuildSettingsRepository
from tests.contracts.samples import ADA, BEN, GUILD, NOW, OTHER_GUILD

APPROVALS, AUDIT = Setting.APPROVALS_CHANNEL, Setting.AUDIT_CHANNEL


async def test_nothing_set(guild_settings: GuildSettingsRepository) -> None:
    assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD)


async def test_set(guild_settings: GuildSettingsRepository, audit: AuditRepository) -> None:
    """Each setting is set by itself and written down, in the commands' words."""
    assert await guild_settings.set_channel(GUILD, APPROVALS, 5, by=ADA, at=NOW)
    assert await guild_settings.set_channel(GUILD, AUDIT, 6, by=ADA, at=NOW)

    assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD, 5, 6)

    second, first = await audit.newest(GUILD, limit=10)

    assert first.detail == {"setting": "approvals-channel", "channel": "5"}
    assert second.detail == {"setting": "audit-channel", "channel": "6"}
    assert (second.action, second.actor_id, second.at) == (AuditAction.SETTINGS_CHANGED, ADA, NOW)
    assert second.subject == "guild"


async def test_the_same_again(guild_settings: GuildSettingsRepository, audit: AuditRepository) -> None:
    """What is set already is no change, and is not written down; nor is emptying what was never set."""
    await guild_settings.set_channel(GUILD, AUDIT, 6, by=ADA, at=NOW)

    assert not await guild_settings.set_channel(GUILD, AUDIT, 6, by=BEN, at=NOW)
    assert not await guild_settings.set_channel(GUILD, APPROVALS, None, by=BEN, at=NOW)
    assert not await guild_settings.set_channel(OTHER_GUILD, APPROVALS, None, by=BEN, at=NOW)
    assert [row.actor_id for row in await audit.newest(GUILD, limit=10)] == [ADA]
    assert await audit.newest(OTHER_GUILD, limit=10) == []


async def test_taken_back(guild_settings: GuildSettingsRepository, audit: AuditRepository) -> None:
    """A setting can be emptied, and that is written down too."""
    await guild_settings.set_channel(GUILD, AUDIT, 6, by=ADA, at=NOW)
    assert await guild_settings.set_channel(GUILD, AUDIT, None, by=ADA, at=NOW)

    assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD)
    assert (await audit.newest(GUILD, limit=1))[0].detail == {"setting": "audit-channel", "channel": "none"}


async def test_both_at_once(guild_settings: GuildSettingsRepository) -> None:
    """Two who set different things at the same time do not undo each other."""
    for number in range(1, 11):
        await asyncio.gather(
            guild_settings.set_channel(GUILD, APPROVALS, number, by=ADA, at=NOW),
            guild_settings.set_channel(GUILD, AUDIT, -number, by=BEN, at=NOW),
        )
        assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD, number, -number)


async def test_other_guild(guild_settings: GuildSettingsRepository) -> None:
    """What one guild sets is nothing to another."""
    for guild_id, approvals, audit in ((GUILD, 5, 6), (OTHER_GUILD, 7, 8)):
        await guild_settings.set_channel(guild_id, APPROVALS, approvals, by=ADA, at=NOW)
        await guild_settings.set_channel(guild_id, AUDIT, audit, by=ADA, at=NOW)

    assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD, 5, 6)
    assert await guild_settings.of_guild(OTHER_GUILD) == GuildSettings(OTHER_GUILD, 7, 8)
