"""The controls of an inventory: sort, filter, details, CSV and refresh."""

import csv
import io
from dataclasses import replace
from datetime import timedelta

import discord
import pytest
import simcord

from bot.client import SkinDeskClient
from bot.demo.scene import Scene
from bot.domain.steam import Game, image_url
from bot.ui.inventory.controls import refresh_label
from tests.cogs.test_inventory import answer_of, asked, look_up, names_in, offers_in, owned, page_of, wait
from tests.support.seen import buttons_of, extra_text_of, text_of

FORM = {"search": "", "min_price": "", "max_price": ""}


def selects_of(message: discord.Message) -> dict[str, discord.SelectMenu]:
    """The menus under a message, by what their custom ids end in."""
    return {
        str(child.custom_id).rpartition(":")[2]: child
        for row in message.components
        if isinstance(row, discord.ActionRow)
        for child in row.children
        if isinstance(child, discord.SelectMenu)
    }


async def choose(
    who: simcord.MemberActor, message: simcord.ResponseMessage, menu: str, value: str
) -> simcord.InteractionResult:
    return await who.select(message, [value], custom_id=selects_of(message.message)[menu].custom_id)


async def narrow(who: simcord.MemberActor, message: simcord.ResponseMessage, **typed: str) -> simcord.InteractionResult:
    opened = await who.click(message, label="Filter")
    return await who.submit_modal(opened, FORM | typed)


async def restart(scene: Scene) -> None:
    """Start another process: only the providers keep their memory."""
    await scene.client.services.snapshots.saved()
    restarted = SkinDeskClient(services=scene.client.services, cards=scene.client.cards)
    scene.client.cards.connect(restarted)
    scene.client.services.snapshots._recent.clear()
    scene.client.services.snapshots._queries.clear()
    await scene.env.restart_bot(restarted)


@pytest.fixture
async def page(scene: Scene) -> simcord.ResponseMessage:
    """The customer's inventory."""
    return answer_of(await look_up(scene, scene.customer, scene.world.customer.trade_url))


async def test_sorted(scene: Scene, page: simcord.ResponseMessage) -> None:
    """Each order sorts the whole snapshot and shows its first page, without asking a provider."""
    before = asked(scene)
    await scene.customer.click(page, label="Last")
    for value, label in (("price_desc", "highest price first"), ("price_asc", "lowest price first")):
        shown = await choose(scene.customer, page, "sort", value)
        offers = sorted((item.offer for item in owned(scene) if item.offer is not None), reverse=value == "price_desc")

        assert page_of(shown) == "Page 1 of 8"
        assert f"Sorted: {label}" in text_of(shown)
        assert offers_in(text_of(shown))[0] in offers[:2]
        (default,) = [each.value for each in selects_of(page.message)["sort"].options if each.default]
        assert default == value

    shown = await choose(scene.customer, page, "sort", "relevance")
    assert names_in(text_of(shown)) == [item.market_hash_name for item in owned(scene)[:8]]
    assert "Order" not in text_of(shown)
    assert asked(scene) == before


async def test_filtered(scene: Scene, page: simcord.ResponseMessage) -> None:
    """The form leaves what matches, the head says what of the whole is left, and its button takes it back."""
    before = asked(scene)
    shown = await narrow(scene.customer, page, search="AK", min_price="1,00 €", max_price="1 000")
    wanted = [
        item.market_hash_name
        for item in owned(scene)
        if "ak" in item.market_hash_name.casefold() and item.offer is not None and 1 <= item.offer <= 1000
    ]

    assert wanted
    assert names_in(text_of(shown)) == wanted[:8]
    assert "Filter: name has “AK” · from $1.00 · up to $1,000" in text_of(shown)
    assert f"Shown: {len(wanted)} of 64 items" in text_of(shown)
    assert "of 64 items can be deposited" in text_of(shown)

    shown = await scene.customer.click(page, label="Clear filter")
    assert names_in(text_of(shown)) == [item.market_hash_name for item in owned(scene)[:8]]
    assert "Clear filter" not in buttons_of(page.message)
    assert asked(scene) == before


async def test_form_that_cannot_be_used(scene: Scene, page: simcord.ResponseMessage) -> None:
    """An unusable form is explained in a message of its own, and the page stays."""
    result = await narrow(scene.customer, page, min_price="5", max_price="4.99")

    assert "The lowest price is above the highest one." in extra_text_of(result)
    assert "`Brings at least` cannot be used like that" in extra_text_of(result)
    assert [embed.footer.text for embed in page.embeds] == ["Page 1 of 8"]


async def test_details(scene: Scene, page: simcord.ResponseMessage) -> None:
    """Details come with a picture, beside a page that can be turned further, and without asking a provider."""
    before = asked(scene)
    result = await choose(scene.customer, page, "item", "0")

    assert result.ephemeral
    assert answer_of(result).embeds[0].image.url == image_url(owned(scene)[0].icon_hash)
    assert page_of(await scene.customer.click(page, label="Next")) == "Page 2 of 8"
    assert asked(scene) == before


async def test_everything_of_the_wire(scene: Scene) -> None:
    """What the documents name reaches the reader: credit, losses, Steam's pages, the certificate, the request id."""
    first, second, *others = owned(scene)
    scene.world.customer.inventories[Game.CS2] = (first, replace(second, id=""), *others)  # type: ignore[index]
    url, facts = scene.world.customer.trade_url, []
    for reader in (scene.customer, scene.agent):
        shown = answer_of(await look_up(scene, reader, url, provider="assetpay_client"))
        assert "Room for instant credit: $150.00" in str(shown.embeds[0].description)
        assert "1 item could not be read and is left out." in str(shown.embeds[0].description)
        facts.append(text_of(await choose(reader, shown, "item", "0")))

    for text in facts:
        assert "86% of the market price, $12.50" in text
        assert "(https://steamcommunity.com/market/listings/730/Sticker%20%7C%20Natus%20Vincere" in text
        assert f"%20{first.inspect_certificate}`" in text
    assert ["request id `" in text for text in facts] == [False, True]


async def test_details_of_what_is_shown(scene: Scene, page: simcord.ResponseMessage) -> None:
    """On every page, sorted and filtered, the menu has the page's items and each opens that very one."""
    await choose(scene.customer, page, "sort", "name_desc")
    shown = await narrow(scene.customer, page, search="a")
    shown = await scene.customer.click(page, label="Next")
    options = selects_of(page.message)["item"].options

    assert [option.label for option in options] == names_in(text_of(shown))
    for option in options:
        opened = await choose(scene.customer, page, "item", option.value)
        assert (answer_of(opened).embeds[0].title or "")[2:] == option.label


async def test_table(scene: Scene, page: simcord.ResponseMessage) -> None:
    """The CSV has every item, with any filter."""
    await narrow(scene.customer, page, search="redline")
    result = await scene.customer.click(page, label="CSV of all")

    assert result.ephemeral
    (file,) = answer_of(result).message.attachments
    table = list(csv.DictReader(io.StringIO((await file.read()).decode("utf-8-sig"))))
    assert [row["name"] for row in table] == [item.market_hash_name for item in owned(scene)]


async def test_refreshed(scene: Scene, page: simcord.ResponseMessage) -> None:
    """Refreshing asks the same once more, keeps order, filter and page, and says when it can be done again."""
    await choose(scene.customer, page, "sort", "price_desc")
    await narrow(scene.customer, page, search="a")
    shown = await scene.customer.click(page, label="Next")
    names, before = names_in(text_of(shown)), asked(scene)
    refreshed = await scene.customer.click(page, label="Refresh")
    until = scene.clock.now() + timedelta(minutes=2)

    assert asked(scene) == before + 1
    assert scene.providers.assetpay.asked[-1].query["refresh"] == "true"
    assert names_in(text_of(refreshed)) == names
    assert page_of(refreshed).startswith("Page 2 of ")
    assert "Sorted: highest price first" in text_of(refreshed)
    assert f"Can be refreshed: <t:{int(until.timestamp())}:R>" in text_of(refreshed)
    assert refresh_label(until) in buttons_of(page.message)


async def test_refreshed_too_soon(scene: Scene, page: simcord.ResponseMessage) -> None:
    """A second refresh shows what the first one read, and from when on it works again; then it does."""
    await scene.customer.click(page, label="Refresh")
    before, until = asked(scene), scene.clock.now() + timedelta(minutes=2)
    read_at = int(scene.clock.now().timestamp())
    wait(scene, 40)
    again = await scene.customer.click(page, label=refresh_label(until))

    assert f"Read from Steam: <t:{read_at}:R> · Can be refreshed: <t:{int(until.timestamp())}:R>" in text_of(again)
    assert names_in(text_of(again)) == [item.market_hash_name for item in owned(scene)[:8]]
    assert (asked(scene), extra_text_of(again)) == (before, "")
    wait(scene, 80)
    await scene.customer.click(page, label=refresh_label(until))
    assert asked(scene) == before + 1


async def test_refresh_after_another_users(scene: Scene, page: simcord.ResponseMessage) -> None:
    """Where another reader has a newer answer, it takes the place of the older one: nothing is called the newest."""
    await choose(scene.customer, page, "sort", "price_desc")
    wait(scene, 600)
    await look_up(scene, scene.agent, scene.world.customer.trade_url, refresh=True)
    before, read_at = asked(scene), scene.clock.now()
    result = await scene.customer.click(page, label="Refresh")

    assert f"Read from Steam: <t:{int(read_at.timestamp())}:R>" in text_of(result)
    assert "Sorted: highest price first" in text_of(result)
    assert extra_text_of(result) == ""
    assert asked(scene) == before


async def test_refresh_that_fails(scene: Scene) -> None:
    """A provider that fails is explained beside the page, which stays as it was."""
    first = await look_up(scene, scene.customer, scene.world.customer.trade_url, provider="skinsback")
    page = answer_of(first)
    scene.providers.skinsback.active = False
    result = await scene.customer.click(page, label="Refresh")

    assert "What you can do" in extra_text_of(result)
    assert "Page 1 of 8" in text_of(first)
    assert page_of(await scene.customer.click(page, label="Next")) == "Page 2 of 8"


async def test_after_a_restart(scene: Scene, page: simcord.ResponseMessage) -> None:
    """Controls and an open form work on after a restart, as they were left; only refreshing needs the command."""
    await choose(scene.customer, page, "sort", "price_desc")
    await narrow(scene.customer, page, search="a")
    before = asked(scene)

    await restart(scene)
    shown = await scene.customer.click(page, label="Next")
    assert "Sorted: highest price first" in text_of(shown)
    assert "name has “a”" in text_of(shown)
    assert page_of(shown).startswith("Page 2 of ")

    await restart(scene)
    opened = await choose(scene.customer, page, "item", selects_of(page.message)["item"].options[0].value)
    assert (answer_of(opened).embeds[0].title or "")[2:] == names_in(text_of(shown))[0]
    form = await scene.customer.click(page, label="Filter")
    await restart(scene)
    assert "name has “ak”" in text_of(await scene.customer.submit_modal(form, FORM | {"search": "ak"}))
    await restart(scene)
    assert "lowest price first" in text_of(await choose(scene.customer, page, "sort", "price_asc"))
    await restart(scene)
    assert answer_of(await scene.customer.click(page, label="CSV of all")).message.attachments
    await restart(scene)
    assert "name has" not in text_of(await scene.customer.click(page, label="Clear filter"))
    refused = await scene.customer.click(page, label="Refresh")
    assert "Run the command again, with its options." in extra_text_of(refused)
    assert asked(scene) == before


async def test_form_of_a_kind_that_is_no_more(
    scene: Scene, page: simcord.ResponseMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form that no part of SkinDesk knows any more is answered, and says what to do."""
    opened = await scene.customer.click(page, label="Filter")
    monkeypatch.setattr("bot.client.MODALS", ())
    result = await scene.customer.submit_modal(opened, FORM)

    assert result.ephemeral
    assert "This form is too old" in text_of(result)
    assert "fill in the new form" in text_of(result)
