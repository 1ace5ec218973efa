"""/inventory through the simulated Discord, against providers that speak the seeds' wire formats."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import simcord

from bot.demo.items import WorldItem
from bot.demo.scene import Scene
from bot.domain.access import Capability
from bot.domain.steam import Game
from tests.support.seen import buttons_of, text_of

DIALECTS = ("assetpay", "assetpay_client", "assetpay_legacy")
PROVIDERS = (*DIALECTS, "skinsback")
GAMES = {name: ("cs2", "rust", "dota2") if name == "skinsback" else ("cs2", "rust") for name in PROVIDERS}


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
    return [Decimal(offer.replace(",", "")) for offer in re.findall(r"accepted at \*\*\$([\d,.]+)\*\*", text)]


def page_of(result: simcord.InteractionResult) -> str:
    """Which page an answer shows."""
    return text_of(result).splitlines()[-1]


def owned(scene: Scene, game: Game = Game.CS2) -> tuple[WorldItem, ...]:
    return scene.world.customer.inventories[game]


@pytest.mark.parametrize("provider", PROVIDERS)
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


async def test_default_provider_and_game(scene: Scene) -> None:
    """The defaults are the default provider and Counter-Strike 2."""
    result = await look_up(scene, scene.customer, scene.world.customer.trade_url)

    assert text_of(result).startswith("Inventory · AssetPay · Counter-Strike 2")
    accepted = [item for item in owned(scene) if item.accepted]
    worth = sum(item.offer for item in accepted if item.offer is not None)
    assert f"{len(accepted)} of 64 items can be deposited, ${worth:,.2f}" in text_of(result)
    assert names_in(text_of(result)) == [item.market_hash_name for item in owned(scene)[:8]]


async def test_a_game_the_provider_does_not_have(scene: Scene) -> None:
    """It is explained without a call; side by side only the providers that have the game are asked."""
    for provider in DIALECTS:
        result = await look_up(scene, scene.agent, scene.world.collector.trade_url, provider=provider, game="dota2")

        assert "does not have Dota 2. Nothing was asked." in text_of(result)
    assert asked(scene) == 0

    result = await look_up(scene, scene.agent, scene.world.collector.trade_url, provider="all", game="dota2")

    assert "SkinsBack · Dota 2" in text_of(result)
    assert asked(scene) == scene.providers.skinsback.calls.total() == 1


async def test_own_scope(scene: Scene) -> None:
    """A customer sees the linked account's inventory; every refusal names the missing capability literally."""
    own, foreign = scene.world.customer.trade_url, scene.world.other_customer.trade_url

    assert "can be deposited" in text_of(await look_up(scene, scene.customer, own))
    before = asked(scene)
    assert "`inventory.any`" in text_of(await look_up(scene, scene.customer, foreign))

    await scene.client.services.access.revoke(scene.guild.id, Capability.INVENTORY_OWN, by=scene.owner)
    assert "`inventory.own`" in text_of(await look_up(scene, scene.customer, own))
    assert asked(scene) == before

    assert "can be deposited" in text_of(await look_up(scene, scene.agent, foreign)), "inventory.any alone is enough"


SPELLINGS = {
    "assetpay": ("priceDesc", "limit", "-1"),
    "assetpay_client": ("priceDesc", "limit", "-1"),
    "assetpay_legacy": ("price_desc", "perPage", "50"),
}


@pytest.mark.parametrize("provider", DIALECTS)
async def test_options_in_the_providers_own_spelling(scene: Scene, provider: str) -> None:
    """Search, order and prices reach the provider as its documentation spells them, and leave the right items."""
    options = {"search": "e", "sort": "price_desc", "min_price": 0.5, "max_price": 30.05}
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
    assert "Only: name has “e” · from $0.5 · up to $30.05 · highest price first" in text_of(result)


async def test_skinsback_is_filtered_here(scene: Scene) -> None:
    """SkinsBack knows no search: it is asked for everything in its own parameters, and the rest is left out here."""
    options = {"search": "lisbon", "sort": "price_asc", "max_price": 50}
    result = await look_up(scene, scene.customer, scene.world.customer.trade_url, provider="skinsback", **options)

    wanted = [item.market_hash_name for item in owned(scene) if "lisbon" in item.market_hash_name.casefold()]
    assert wanted
    assert sorted(names_in(text_of(result))) == sorted(wanted)
    assert offers_in(text_of(result)) == sorted(offers_in(text_of(result)))
    assert not scene.providers.skinsback.unknown_parameters


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


async def test_memory(scene: Scene) -> None:
    """An inventory is kept 15 minutes, for every search in it; only a refresh, or their end, asks again."""
    url = scene.world.customer.trade_url
    await look_up(scene, scene.customer, url)
    assert asked(scene) == 1

    await look_up(scene, scene.agent, url)
    searched = await look_up(scene, scene.customer, url, search="redline", sort="price_asc")
    assert all("redline" in name.casefold() for name in names_in(text_of(searched)))
    assert asked(scene) == 1

    await look_up(scene, scene.customer, url, refresh=True)
    assert asked(scene) == 2
    assert scene.providers.assetpay.asked[-1].query["refresh"] == "true"

    wait(scene, 15 * 60 - 1)
    await look_up(scene, scene.customer, url)
    assert asked(scene) == 2

    wait(scene, 1)
    await look_up(scene, scene.customer, url)
    assert asked(scene) == 3
    assert "refresh" not in scene.providers.assetpay.asked[-1].query


async def test_refreshing_again(scene: Scene) -> None:
    """A second refresh within two minutes is refused with the moment from which it can be asked for."""
    url = scene.world.customer.trade_url
    await look_up(scene, scene.customer, url, refresh=True)
    refused = text_of(await look_up(scene, scene.agent, url, refresh=True))
    until = int(scene.clock.now().timestamp()) + 120

    assert "Refreshed a moment ago" in refused
    assert f"Try again\nWith `refresh`: <t:{until}:R>." in refused
    assert asked(scene) == 1
    wait(scene, 120)
    assert "can be deposited" in text_of(await look_up(scene, scene.agent, url, refresh=True))
    assert asked(scene) == 2


async def test_side_by_side(scene: Scene) -> None:
    """`all` shows what each provider pays for each item, and a provider that fails beside the others."""
    scene.providers.skinsback.active = False
    result = await look_up(scene, scene.customer, scene.world.customer.trade_url, provider="all")

    text = text_of(result).replace("\N{NO-BREAK SPACE}", " ")
    for label in ("AssetPay", "AssetPay (client)", "AssetPay (.co)"):
        assert re.search(rf"(?m)^\*\*{re.escape(label)}\*\*: \d+ of 64 items, \$", text)
    assert "**SkinsBack**: ⚠️ not set up right here" in text
    assert "**AK-47 | Redline (Field-Tested)**\nAssetPay ✅ $10.75 · AssetPay (client) ✅ $10.75" in text
    assert "Page 1 of 8" in text
