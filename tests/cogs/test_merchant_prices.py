"""What SkinsBack pays the shop is nothing for customers: not on a page, in details, a comparison or a table."""

import csv
import io

import pytest
import simcord

from bot.demo.scene import Scene
from tests.cogs.test_inventory import answer_of, look_up
from tests.cogs.test_inventory_controls import choose, narrow, restart, selects_of
from tests.support.seen import text_of


async def table_of(who: simcord.MemberActor, page: simcord.ResponseMessage) -> list[dict[str, str]]:
    (file,) = answer_of(await who.click(page, label="CSV of all")).message.attachments
    return list(csv.DictReader(io.StringIO((await file.read()).decode("utf-8-sig"))))


@pytest.mark.parametrize("after", ["look-up", "restart"])
async def test_at_skinsback(scene: Scene, after: str) -> None:
    """A customer reads the credit in roubles alone; an agent reads the merchant's dollars too, named as theirs."""
    for who, is_agent in ((scene.customer, False), (scene.agent, True)):
        result = await look_up(scene, who, scene.world.customer.trade_url, provider="skinsback")
        page = answer_of(result)
        if after == "restart":
            await restart(scene)
        options = selects_of(page.message)["item"].options
        details = await choose(who, page, "item", options[0].value)
        shown = [result, await who.click(page, label="Next"), await choose(who, page, "sort", "price_desc")]
        shown.append(await narrow(who, page, search="e", min_price="50"))
        texts = [text_of(each) for each in shown]
        rows = await table_of(who, page)

        assert all("Accepted at **₽" in text for text in texts)
        assert "Only: " not in texts[0]
        assert "from ₽50.00" in texts[3]
        assert [" · shop $" in text for text in texts] == [is_agent] * 4
        assert ("SkinsBack pays the shop $" in text_of(details)) == is_agent
        assert ("merchant price" in rows[0]) == is_agent
        assert {row["offer currency"] for row in rows} == {"RUB"}
        if not is_agent:
            assert "$" not in "".join([*texts, text_of(details)])
            assert "merchant" not in "".join([*texts, text_of(details), *rows[0]])


async def test_side_by_side(scene: Scene) -> None:
    """In a comparison, too, what a customer reads of SkinsBack is in roubles."""
    page = answer_of(await look_up(scene, scene.customer, scene.world.customer.trade_url, provider="all"))
    options = selects_of(page.message)["item"].options
    details = answer_of(await choose(scene.customer, page, "item", options[0].value)).embeds[0]
    (theirs,) = [field.value or "" for field in details.fields if (field.name or "").startswith("SkinsBack")]
    rows = [row for row in await table_of(scene.customer, page) if row["provider"] == "SkinsBack"]

    assert "merchant" not in f"{page.embeds[0].description}{theirs}{list(rows[0])}"
    assert "₽" in theirs
    assert "$" not in theirs
    assert {row["offer currency"] for row in rows} <= {"RUB", ""}
