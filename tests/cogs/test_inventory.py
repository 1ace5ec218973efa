"""/inventory through the simulated Discord, against providers that speak the seeds' wire formats."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import simcord

from bot.demo.items import WorldItem
from bot.demo.scene import Scene
from bot.domain.steam import Game
from tests.support.seen import buttons_of, text_of

DIALECTS = ("assetpay", "assetpay_client", "assetpay_legacy")
GAMES = dict.fromkeys(DIALECTS, ("cs2", "rust")) | {"skinsback": ("cs2", "rust", "dota2")}


async def look_up(scene: Scene, actor: simcord.MemberActor, url: str, **options: object) -> simcord.InteractionResult:
    result = await actor.slash(scene.channel, "inventory", tradeurl=url, **options)
    assert result.ephemeral
    return result


def answer_of(result: simcord.InteractionResult) -> simcord.ResponseMessage:
    assert result.response is not None
    return result.response


def wait(scene: Scene, seconds: float) -> None:
    """Let time pass for desk and providers, but not for Discord: that would go through every second of it."""
    later = scene.clock.now() + timedelta(seconds=seconds)
    scene.clock.follow(lambda: later)


def asked(scene: Scene) -> int:
    """How many requests of any kind reached a provider of inventories."""
    servers = (scene.providers.assetpay, scene.providers.assetpay_legacy, scene.providers.skinsback)
    return sum(server.calls.total() for server in servers)


def names_in(text: str) -> list[str]:
    return re.findall(r"(?m)^[✅❌] \*\*(.+?)\*\*", text)


def offers_in(text: str) -> list[Decimal]:
    return [Decimal(offer.replace(",", "")) for offer in re.findall(r"Accepted at \*\*[$₽]([\d,.]+)\*\*", text)]


def page_of(result: simcord.InteractionResult) -> str:
    """Which page an answer shows."""
    return text_of(result).splitlines()[-1]


def owned(scene: Scene) -> tuple[WorldItem, ...]:
    return scene.world.customer.inventories[Game.CS2]


@pytest.mark.parametrize("provider", GAMES)
async def test_every_game_of_a_provider(scene: Scene, provider: str) -> None:
    """Each provider's inventory of each game it has comes as a page of items with what they bring."""
    for game in GAMES[provider]:
        result = await look_up(scene, scene.customer, scene.world.customer.trade_url, provider=provider, game=game)

        assert scene.customer.mention in text_of(result)
        assert str(scene.world.customer.steam_id) in text_of(result)
        assert "can be deposited, **$" not in text_of(result)
        assert names_in(text_of(result))
        assert offers_in(text_of(result))
        wait(scene, 61)


SPELLINGS = {
    "assetpay": ("priceDesc", "limit", "-1"),
    "assetpay_client": ("priceDesc", "limit", "-1"),
    "assetpay_legacy": ("price_desc", "perPage", "50"),
}


@pytest.mark.parametrize("provider", DIALECTS)
async def test_options_in_the_providers_own_spelling(scene: Scene, provider: str) -> None:
    """Search, order and prices reach the provider as its documentation spells them, and leave the right items.

    A search is sent as Steam writes names, whatever the keyboard made of it: here a full-width letter.
    """
    options = {"search": "\uff45", "sort": "price_desc", "min_price": 0.5, "max_price": 30.05}
    result = await look_up(scene, scene.customer, scene.world.customer.trade_url, provider=provider, **options)

    server = scene.providers.assetpay_legacy if provider == "assetpay_legacy" else scene.providers.assetpay
    sort, size_name, size = SPELLINGS[provider]
    query = dict(server.asked[-1].query)
    query.pop("tradeUrl", None)
    narrowing = {"search": "e", "sort": sort, "minPrice": "0.5", "maxPrice": "30.05"}
    assert query == {"game": "730", **narrowing, "page": "1", size_name: size}
    wanted = [
        item
        for item in owned(scene)
        if item.offer is not None
        and "e" in item.market_hash_name.casefold()
        and Decimal("0.5") <= item.offer <= Decimal("30.05")
    ]
    wanted.sort(key=lambda item: item.offer or 0, reverse=True)
    assert names_in(text_of(result)) == [item.market_hash_name for item in wanted[:8]]
    assert f"of {len(wanted)} items can be deposited" in text_of(result)
    assert "Only: name has “e” · from $0.50 · up to $30.05 · highest price first" in text_of(result)


@pytest.mark.parametrize("provider", GAMES)
async def test_words_in_any_order(scene: Scene, provider: str) -> None:
    """The words are found wherever they are in the name, also at a provider that looks for the text as it is."""
    options = {"search": "REDLINE ak\u201147", "provider": provider}
    result = await look_up(scene, scene.customer, scene.world.customer.trade_url, **options)

    assert "AK-47 | Redline (Field-Tested)" in names_in(text_of(result))
    assert "Only: name has “REDLINE ak-47”" in text_of(result)


async def test_turning_pages(scene: Scene) -> None:
    """First, Previous, Next and Last show every item once, are disabled at the ends, and ask no provider."""
    result = await look_up(scene, scene.customer, scene.world.customer.trade_url)
    message = answer_of(result)
    before = asked(scene)

    def idle() -> dict[str, bool]:
        buttons = buttons_of(message.message)
        return {label: buttons[label].disabled for label in ("First", "Previous", "Next", "Last")}

    assert idle() == {"First": True, "Previous": True, "Next": False, "Last": False}
    names = names_in(text_of(result))
    for number in range(2, 9):
        turned = await scene.customer.click(message, label="Next")
        assert page_of(turned) == f"Page {number} of 8"
        names += names_in(text_of(turned))
    assert names == [item.market_hash_name for item in owned(scene)]
    assert idle() == {"First": False, "Previous": False, "Next": True, "Last": True}

    pages = [page_of(await scene.customer.click(message, label=label)) for label in ("Previous", "First", "Last")]
    assert pages == ["Page 7 of 8", "Page 1 of 8", "Page 8 of 8"]
    assert asked(scene) == before
