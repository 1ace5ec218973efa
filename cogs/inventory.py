"""/inventory: the offers of each provider for a Steam inventory."""

from decimal import Decimal
from typing import Any

from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.client import SkinDeskClient
from bot.domain.access import Capability
from bot.domain.failures import ProviderName
from bot.domain.inventory import MAX_SEARCH, Sort
from bot.domain.steam import Game
from bot.services.inventory import InventoryRequest
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, session_of
from bot.ui.pager import log_failures, page_with_controls

_GAMES = [app_commands.Choice(name=game.label, value=game.word) for game in (Game.CS2, Game.RUST, Game.DOTA2)]
_SORTS = {  # the texts of SORTS
    Sort.RELEVANCE: locale_str("the provider's own order"),
    Sort.PRICE_ASC: locale_str("lowest price first"),
    Sort.PRICE_DESC: locale_str("highest price first"),
    Sort.NAME_ASC: locale_str("names A to Z"),
    Sort.NAME_DESC: locale_str("names Z to A"),
}


def inventory_command(providers: tuple[ProviderName, ...]) -> app_commands.Command[Any, ..., None]:
    """Return the command. It is built at start: its choices are the providers that are on."""
    choices = [app_commands.Choice(name=provider.label, value=provider.value) for provider in providers]
    choices.append(app_commands.Choice(name=locale_str("all, side by side"), value="all"))
    orders = [app_commands.Choice(name=name, value=sort.value) for sort, name in _SORTS.items()]

    @app_commands.command(
        name="inventory",
        description=locale_str("See what Steam items bring: your own, for staff anyone's"),
    )
    @app_commands.describe(
        tradeurl=locale_str("Steam trade URL: yours is at steamcommunity.com/my/tradeoffers/privacy"),
        provider=locale_str("Which provider to ask; without it, the desk's usual one"),
        game=locale_str("Which game's items; without it, Counter-Strike 2"),
        search=locale_str("Only items with these words in their name"),
        sort=locale_str("In which order; without it, the provider's own"),
        min_price=locale_str("Only items that bring at least this, in the offers' currency"),
        max_price=locale_str("Only items that bring at most this, in the offers' currency"),
        refresh=locale_str("Have Steam read again; possible every two minutes"),
    )
    @app_commands.choices(provider=choices, game=_GAMES, sort=orders)
    @requires(Capability.INVENTORY_OWN, Capability.INVENTORY_ANY)
    async def inventory(  # noqa: PLR0913, PLR0917 -- the options of the command
        interaction: Interaction,
        tradeurl: str,
        provider: str | None = None,
        game: str = Game.CS2.word,
        search: app_commands.Range[str, 1, MAX_SEARCH] | None = None,
        sort: str = Sort.RELEVANCE.value,
        min_price: app_commands.Range[float, 0] | None = None,
        max_price: app_commands.Range[float, 0] | None = None,
        refresh: bool = False,  # noqa: FBT001, FBT002 -- an option of the command
    ) -> None:
        session = session_of(interaction)
        session.defer_if_slow()
        request = InventoryRequest(
            trade_url=tradeurl,
            provider=provider,
            game=Game.from_word(game),
            search=search,
            sort=Sort(sort),
            # As they were typed, not as their binary values.
            min_price=None if min_price is None else Decimal(str(min_price)),
            max_price=None if max_price is None else Decimal(str(max_price)),
            refresh=refresh,
        )
        snapshot = await session.services.snapshots.look_up(request, by=session.actor)
        log_failures(session, snapshot)
        embed, view = await page_with_controls(session, snapshot, 0)
        await session.reply(embed, view=view)

    return inventory


async def setup(client: commands.Bot) -> None:
    """Add the command."""
    if not isinstance(client, SkinDeskClient):
        raise TypeError("SkinDesk's extensions belong to its own client")
    client.tree.add_command(inventory_command(client.services.inventory.provider_names))
