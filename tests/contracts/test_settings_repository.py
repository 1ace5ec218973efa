"""What every GuildSettingsRepository does."""

from bot.domain.audit import AuditAction
from bot.domain.settings import GuildSettings
from bot.ports import AuditRepository, GuildSettingsRepository
from tests.contracts.samples import ADA, GUILD, NOW, OTHER_GUILD


async def test_nothing_set(guild_settings: GuildSettingsRepository) -> None:
    assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD)


async def test_put(guild_settings: GuildSettingsRepository, audit: AuditRepository) -> None:
    """Each setting that is another than before is written down, in the commands' words."""
    await guild_settings.put(GuildSettings(GUILD, approvals_channel_id=5), by=ADA, at=NOW)
    both = GuildSettings(GUILD, approvals_channel_id=5, audit_channel_id=6)
    await guild_settings.put(both, by=ADA, at=NOW)

    assert await guild_settings.of_guild(GUILD) == both

    second, first = await audit.newest(GUILD, limit=10)

    assert first.detail == {"setting": "approvals-channel", "channel": "5"}
    assert second.detail == {"setting": "audit-channel", "channel": "6"}
    assert (second.action, second.actor_id, second.at) == (AuditAction.SETTINGS_CHANGED, ADA, NOW)
    assert second.subject == "guild"


async def test_taken_back(guild_settings: GuildSettingsRepository, audit: AuditRepository) -> None:
    """A setting can be emptied, and that is written down too."""
    await guild_settings.put(GuildSettings(GUILD, audit_channel_id=6), by=ADA, at=NOW)
    await guild_settings.put(GuildSettings(GUILD), by=ADA, at=NOW)

    assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD)
    assert (await audit.newest(GUILD, limit=1))[0].detail == {"setting": "audit-channel", "channel": "none"}


async def test_other_guild(guild_settings: GuildSettingsRepository) -> None:
    """What one guild sets is nothing to another."""
    await guild_settings.put(GuildSettings(GUILD, 5, 6), by=ADA, at=NOW)
    await guild_settings.put(GuildSettings(OTHER_GUILD, 7, 8), by=ADA, at=NOW)

    assert await guild_settings.of_guild(GUILD) == GuildSettings(GUILD, 5, 6)
    assert await guild_settings.of_guild(OTHER_GUILD) == GuildSettings(OTHER_GUILD, 7, 8)
