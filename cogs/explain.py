"""/explain: what an error code means, and what to do about it."""

import logging

from discord import app_commands
from discord.ext import commands

from bot.domain.failures import Dialect, Explanation, ProviderName
from bot.domain.pages import Audience
from bot.domain.trade_url import mask_trade_urls
from bot.ui.errors import DIALECT_LABELS, error_name, explanation_embed, title_of
from bot.ui.funnel import reply
from bot.ui.interactions import Interaction, actor_of, desk_of
from bot.ui.layout import Field, Tone, card
from bot.ui.rights import open_to_everybody
from bot.ui.text import outside, plain

_PROVIDERS = [app_commands.Choice(name=provider.label, value=provider.value) for provider in ProviderName]
_MAX_TEXT = 1_000
_MEANINGS_SHOWN = 8

_log = logging.getLogger(__name__)


class ExplainCog(commands.Cog):
    """Explanations of codes, keys and messages."""

    @app_commands.command(name="explain", description="Find out what a provider's error means and what to do")
    @app_commands.describe(code="A number, a key, or the message as it was shown", provider="Whose error it is")
    @app_commands.choices(provider=_PROVIDERS)
    @open_to_everybody("what an error means is no secret; what is one is left out", suggesting=["code"])
    async def explain(
        self, interaction: Interaction, code: app_commands.Range[str, 1, _MAX_TEXT], provider: str | None = None
    ) -> None:
        """Explain one error, or list what a number can mean."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        desk = desk_of(interaction)
        audience = await desk.pages.audience_of(actor_of(interaction))
        found = _distinct(desk.explanations.find(code, _dialect(provider)))
        if len(found) == 1:
            (only,) = found
            await reply(interaction, explanation_embed(only[0], audience=audience, provider=only[1]))
            return
        asked = outside(mask_trade_urls(code), 200)
        if not found:
            embed = card(
                title="Not in the catalogue",
                description=(
                    f"“{asked}” is no error that SkinDesk knows. Check the number or the key; "
                    "if a provider really sent it, tell the staff."
                ),
                colour=Tone.NEUTRAL,
            )
        else:
            from_staff = audience is Audience.STAFF
            embed = card(
                title=f"{len(found)} meanings",
                description=(
                    f"“{asked}” means different things. "
                    + ("Which provider was it?" if provider is None else "It depends on what was asked for.")
                ),
                fields=[_meaning(each, whose, from_staff=from_staff) for each, whose in found[:_MEANINGS_SHOWN]],
                colour=Tone.NEUTRAL,
            )
        await reply(interaction, embed)

    @explain.autocomplete("code")
    async def _codes(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Suggest entries of the catalogue; nothing where that fails."""
        chosen = getattr(interaction.namespace, "provider", None)
        try:
            found = desk_of(interaction).explanations.suggest(current, _dialect(chosen), limit=25)
        except Exception:  # noqa: BLE001 -- a suggestion has nowhere to show an error
            _log.exception("no suggestions")
            return []
        choices = {
            each.key[:100]: plain(f"{'' if each.code is None else f'{each.code} · '}{each.key} · {each.title}", 100)
            for each in found
            if not each.confidential
        }
        return [app_commands.Choice(name=name, value=value) for value, name in choices.items()]


def _distinct(found: tuple[Explanation, ...]) -> list[tuple[Explanation, str]]:
    """Return what is said differently, each with whose it is: AssetPay's dialects share most of their errors."""
    owners: dict[tuple[object, ...], list[str]] = {}
    first: dict[tuple[object, ...], Explanation] = {}
    for each in found:
        said = (each.code, each.key, each.method, each.title, each.meaning, each.customer, each.agent)
        first.setdefault(said, each)
        owners.setdefault(said, []).append(DIALECT_LABELS[each.dialect])
    return [(explanation, " and ".join(owners[said])) for said, explanation in first.items()]


def _meaning(explanation: Explanation, whose: str, *, from_staff: bool) -> Field:
    hidden = explanation.confidential and not from_staff
    names = (whose, error_name(explanation, hidden=hidden), explanation.method)
    return Field(
        " · ".join(filter(None, names)),
        f"**{title_of(explanation, hidden=hidden)}**\n{explanation.agent if from_staff else explanation.customer}",
    )


def _dialect(provider: str | None) -> Dialect | None:
    try:
        return ProviderName(provider).dialect if provider else None
    except ValueError:
        return None


async def setup(client: commands.Bot) -> None:
    """Add the cog."""
    await client.add_cog(ExplainCog())
