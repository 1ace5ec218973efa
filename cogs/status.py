"""/status: the state of the providers."""

from datetime import timedelta

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.health import ProviderHealth, ProviderState, Quota
from bot.ports import Explanations
from bot.ui.explain import error_name
from bot.ui.interaction.rights import public
from bot.ui.interaction.session import Interaction, session_of
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import count, relative

_STATES = {
    ProviderState.WORKING: "✅ Working",
    ProviderState.FAILING: "⚠️ Failing",
    ProviderState.CIRCUIT_OPEN: "❌ Paused after repeated failures",
}
_MEANINGS = {
    ProviderState.FAILING: "Its last answers were errors or did not come. It is still asked.",
    ProviderState.CIRCUIT_OPEN: "Calls of several people failed. SkinDesk tries it every few seconds until it answers.",
}

_PERIODS = {"hour": timedelta(hours=1), "minute": timedelta(minutes=1), "second": timedelta(seconds=1)}


class StatusCog(commands.Cog):
    """The state of the providers, with the reasons for members with audit.read."""

    @app_commands.command(name="status", description="See whether the providers work right now, and since when")
    @public("every customer may know whether a provider works; the reasons require audit.read")
    async def status(self, interaction: Interaction) -> None:
        """Show every provider that is on."""
        session = session_of(interaction)
        session.defer_if_slow()
        services = session.services
        providers = await services.status.report(by=session.actor)
        await session.reply(_status_embed(providers, services.explanations))


def _status_embed(providers: tuple[ProviderHealth, ...], explanations: Explanations) -> discord.Embed:
    troubled = sum(health.state is not ProviderState.WORKING for health in providers)
    return card(
        title="Providers",
        description=_summary(len(providers), troubled),
        fields=[Field(health.provider.label, "\n".join(_lines(health, explanations))) for health in providers],
        colour=Tone.BAD if troubled else Tone.GOOD,
    )


def _summary(providers: int, troubled: int) -> str:
    if not providers:
        return "No provider is switched on here."
    if not troubled:
        return "✅ All of them work." if providers > 1 else "✅ It works."
    others = "; the other providers work" if troubled < providers else ""
    return (
        f"⚠️ {troubled} of {count(providers, 'provider')} {'has' if troubled == 1 else 'have'} trouble. "
        f"Your items and trades are not touched by that{others}."
    )


def _lines(health: ProviderHealth, explanations: Explanations) -> list[str]:
    since = f" since {relative(health.since)}" if health.since is not None else ""
    lines = [f"{_STATES[health.state]}{since}"]
    if health.state in _MEANINGS:
        lines.append(_MEANINGS[health.state])
    if health.until is not None:
        lines.append(f"It is asked again {relative(health.until)}.")
    if health.failure is not None:
        explanation = explanations.explain(health.failure)
        name = error_name(explanation)
        lines.append(f"Last failure: {explanation.title}{f' ({name})' if name else ''}")
    lines.extend(_quota_line(quota) for quota in health.quotas)
    return lines


def _quota_line(quota: Quota) -> str:
    symbol = "⛔" if not quota.left else "🔻" if quota.left <= quota.reserved else "▫️"
    left = f"{symbol} {quota.what}: {quota.left:,} of {quota.limit:,} calls left {_per(quota.per)}"
    if not quota.left:
        return f"{left}, free again {relative(quota.free_at)}" if quota.free_at is not None else left
    kept = "all" if quota.left <= quota.reserved else f"{quota.reserved:,}"
    return f"{left} ({kept} for staff)"


def _per(window: timedelta) -> str:
    for name, unit in _PERIODS.items():
        if window % unit == timedelta(0):
            number = window // unit
            return f"this {name}" if number == 1 else f"in {number:,} {name}s"
    return f"in {window.total_seconds():g} seconds"


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(StatusCog())
