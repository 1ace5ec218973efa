"""/status: the state of the providers."""

from datetime import timedelta

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.domain.health import ProviderHealth, ProviderState, Quota
from bot.languages import Message, number, paragraph, t, tn
from bot.ports import Explanations
from bot.ui.explain import error_name
from bot.ui.interaction.rights import public
from bot.ui.interaction.session import Interaction, session_of
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import relative

_STATES = {
    # Translators: the states of a provider.
    ProviderState.WORKING: Message("✅ Working"),
    ProviderState.FAILING: Message("⚠️ Failing"),
    ProviderState.CIRCUIT_OPEN: Message("❌ Paused after repeated failures"),
}
_MEANINGS = {
    ProviderState.FAILING: Message("Its last answers were errors, or none came. SkinDesk still asks it."),
    ProviderState.CIRCUIT_OPEN: Message(
        "Several people's requests failed. SkinDesk tries it every few seconds until it answers."
    ),
}
_COUNTED = {
    "inventories": Message("Inventories: {left} of {limit} calls left"),
    "trades": Message("Trades: {left} of {limit} calls left"),
    "client_tokens": Message("Client tokens: {left} of {limit} calls left"),
    "trade_url_checks": Message("Trade URL checks: {left} of {limit} calls left"),
    "active_trades": Message("Active trades: {left} of {limit} calls left"),
    "all_trades": Message("All trades: {left} of {limit} calls left"),
    "resends": Message("Resends: {left} of {limit} calls left"),
    "logins": Message("Logins: {left} of {limit} calls left"),
    "requests": Message("Requests: {left} of {limit} calls left"),
}
"""What a quota counts, in the words of ``Quota.what``."""
_PERIODS = {timedelta(hours=1): Message("per hour"), timedelta(minutes=1): Message("per minute")}


class StatusCog(commands.Cog):
    """The state of the providers, with the reasons for members with audit.read."""

    @app_commands.command(
        name="status", description=locale_str("See whether the providers work right now, and since when")
    )
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
        title=t("Providers"),
        description=_summary(len(providers), troubled),
        fields=[Field(health.provider.label, "\n".join(_lines(health, explanations))) for health in providers],
        colour=Tone.BAD if troubled else Tone.GOOD,
    )


def _summary(providers: int, troubled: int) -> str:
    if not providers:
        return t("No provider is switched on here.")
    if not troubled:
        return t("✅ All of them work.") if providers > 1 else t("✅ It works.")
    sentences = [
        tn(
            "⚠️ {count} of {total} providers has trouble.",
            "⚠️ {count} of {total} providers have trouble.",
            troubled,
            total=number(providers),
        ),
        t("Your items and trades are not affected."),
    ]
    if troubled < providers:
        sentences.append(t("The other providers work."))
    return paragraph(*sentences)


def _lines(health: ProviderHealth, explanations: Explanations) -> list[str]:
    state = _STATES[health.state]()
    # Translators: {when} is like "5 minutes ago".
    since = [] if health.since is None else [t("since: {when}", when=relative(health.since))]
    lines = [" · ".join([state, *since])]
    if health.state in _MEANINGS:
        lines.append(_MEANINGS[health.state]())
    if health.until is not None:
        lines.append(t("Next try: {when}", when=relative(health.until)))
    if health.failure is not None:
        explanation = explanations.explain(health.failure)
        failure = t("Last failure: {failure}", failure=explanation.title)
        lines.append(" · ".join(filter(None, [failure, error_name(explanation)])))
    lines.extend(_quota_line(quota) for quota in health.quotas)
    return lines


def _quota_line(quota: Quota) -> str:
    symbol = "⛔" if not quota.left else "🔻" if quota.left <= quota.reserved else "▫️"
    left = _COUNTED[quota.what](left=number(quota.left), limit=number(quota.limit))
    facts = [f"{symbol} {left}", _PERIODS[quota.per]()]
    if quota.left:
        facts.append(_reserve(quota))
    elif quota.free_at is not None:
        # Translators: when calls are possible again; {when} is like "in 5 minutes".
        facts.append(t("free again: {when}", when=relative(quota.free_at)))
    return " · ".join(facts)


def _reserve(quota: Quota) -> str:
    """Return how many of the calls that are left are for the staff only."""
    if quota.left <= quota.reserved:
        return t("all for the staff only")
    return tn("{count} for the staff only", "{count} for the staff only", quota.reserved)


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(StatusCog())
