"""/status: how the providers are doing."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.health import ProviderHealth, ProviderState, Quota
from bot.ports import Explanations
from bot.services.status import StatusReport
from bot.ui.errors import error_name
from bot.ui.funnel import reply
from bot.ui.interactions import Interaction, actor_of, desk_of
from bot.ui.layout import Field, Tone, card
from bot.ui.rights import open_to_everybody
from bot.ui.text import relative

_STATES = {
    ProviderState.WORKING: "✅ Working",
    ProviderState.FAILING: "⚠️ Failing",
    ProviderState.RESTING: "❌ Left alone",
}


class StatusCog(commands.Cog):
    """The state of the providers, for everybody; the reasons for those who read the audit."""

    @app_commands.command(name="status", description="See whether the providers work at the moment")
    @open_to_everybody("whether a provider works concerns whoever waits for it; details need audit.read")
    async def status(self, interaction: Interaction) -> None:
        """Show every provider that is on."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        desk = desk_of(interaction)
        report = await desk.status.report(by=actor_of(interaction))
        await reply(interaction, _status_embed(report, desk.explanations))


def _status_embed(report: StatusReport, explanations: Explanations) -> discord.Embed:
    working = all(health.state is ProviderState.WORKING for health in report.providers)
    return card(
        title="Providers",
        description="" if report.providers else "No provider is switched on at this desk.",
        fields=[Field(health.provider.label, "\n".join(_lines(health, explanations))) for health in report.providers],
        colour=Tone.GOOD if working else Tone.BAD,
    )


def _lines(health: ProviderHealth, explanations: Explanations) -> list[str]:
    since = f" since {relative(health.since)}" if health.since is not None else ""
    lines = [f"{_STATES[health.state]}{since}"]
    if health.until is not None:
        lines.append(f"It is asked again {relative(health.until)}.")
    if health.failure is not None:
        explanation = explanations.explain(health.failure)
        name = error_name(explanation)
        lines.append(f"Last failure: {explanation.title}{f' ({name})' if name else ''}")
    lines.extend(_quota_line(quota) for quota in health.quotas)
    return lines


def _quota_line(quota: Quota) -> str:
    free = f", free again {relative(quota.free_at)}" if quota.free_at is not None else ""
    minutes = f"{quota.per.total_seconds() / 60:g} min"
    return (
        f"{quota.what}: {quota.left:,} of {quota.limit:,} calls left in {minutes}, {quota.reserved:,} for staff{free}"
    )


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(StatusCog())
