"""Pages and forms of a killed program still work after the next start."""

from dataclasses import replace

from bot.demo.chance import Chance
from bot.demo.items import ItemMaker
from bot.demo.people import Person
from bot.domain.steam import Game, SteamId
from tests.e2e.live_bot import LiveBot
from tests.support.loopback_discord.messages import Message, nested

ACCOUNT = SteamId.from_account_id(4294961000)


def hoarder(items: int) -> Person:
    """Return a person with so many items, each with its own picture."""
    chance = Chance(2026, "hoarder")
    owned = ItemMaker(chance, ACCOUNT).inventory(Game.RUST, items)
    pictured = tuple(replace(item, icon_hash=chance.text(200)) for item in owned)
    return Person("Hugo", "far too many items", ACCOUNT, chance.token(), inventories={Game.RUST: pictured})


def control(page: Message, action: str) -> str:
    """Return the custom id of a page's control."""
    (custom_id,) = (each for each in page.custom_ids if each.endswith(f":{action}"))
    return custom_id


async def test_ten_thousand_items(live: LiveBot):
    """Ten thousand items are paged, sorted and filtered without a provider call, before and after a kill."""
    person = hoarder(10_000)
    live.world.people += (person,)
    async with live.running() as bot:
        page = await live.use(live.agent, "inventory", tradeurl=person.trade_url, game="rust")
        asked = live.providers.assetpay.calls.total()
        assert "of 10,000 items can be deposited" in page.text
        assert "Page 2 of 1,250" in await live.turn_page(page, live.agent)
        await (await live.server.select(page, control(page, "sort"), live.agent, "price_desc")).finished()
        assert "Sorted: highest price first" in page.text
        form = await (await live.server.click(page, control(page, "filter"), live.agent)).finished()
        await live.server.until(lambda: any("price_desc" in (view or "") for view in live.kept_views()))
        await bot.kill()

    async with live.running(set_up=False):
        assert "Page 1,250 of 1,250" in await live.turn_page(page, live.agent, "last")
        assert "Sorted: highest price first" in page.text
        dearest = max(item.offer for item in person.inventories[Game.RUST] if item.offer is not None)
        await live.turn_page(page, live.agent, "first")
        assert f"${dearest}" in page.text

        # The killed program opened the form.
        names = [each["custom_id"] for each in nested(form.modal["components"]) if "custom_id" in each]
        await (await live.server.submit_modal(form, dict.fromkeys(names, "") | {"search": "hoodie"})).finished()
        assert "name has “hoodie”" in page.text
    assert live.providers.assetpay.calls.total() == asked
    live.assert_sound()


async def test_stopped_at_once(live: LiveBot):
    """What is shown just before a stop works after the next start: a page turns, a reference has its facts."""
    async with live.running():
        page = await live.use(live.customer, "inventory", tradeurl=live.world.customer.trade_url)
        refused = (await live.use(live.customer, "trades", member=live.agent)).text

    async with live.running(set_up=False):
        assert "Page 2 of 8" in await live.turn_page(page, live.customer)
        found = (await live.use(live.agent, "explain", code=refused[refused.index("Reference ") :])).text
        assert f"<@{live.customer.user.id}> saw this" in found
    live.assert_sound()


async def test_reason_that_outlives_a_kill(live: LiveBot):
    """A reason typed during a kill and restart still denies the request."""
    trade = live.world.trades_of(live.world.customer)[0]
    async with live.running() as bot:
        card = await live.requested(trade.id)
        opened = await (await live.decide(card, "deny")).finished()
        await bot.kill()

    async with live.running(set_up=False):
        await live.give_reason(opened, "not this one")
        await live.card_shows(card, "denied")
        assert "not this one" in card.text
    assert live.resend_states() == ["denied"]
    live.assert_sound()
