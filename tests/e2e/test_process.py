"""One ordinary day: the program as a process with Discord and the providers around it."""

from tests.e2e.live_bot import LiveBot, answer_of
from tests.support.command_docs import COMMANDS


async def test_day(live: LiveBot):
    """The program starts, answers customer, agent and moderator, resends once, and stops."""
    world = live.world
    trade = world.trades_of(world.customer)[0]
    async with live.running(set_up=False):
        assert set(live.server.commands.names()) == set(COMMANDS)
        await live.set_up()

        own = await live.use(live.customer, "inventory", tradeurl=world.customer.trade_url)
        assert "Page 1 of 8" in own.text
        assert "Page 2 of 8" in await live.turn_page(own, live.customer)
        others = await live.use(live.customer, "inventory", tradeurl=world.collector.trade_url)
        assert "inventory.any" in others.text
        compared = await live.use(live.agent, "inventory", tradeurl=world.other_customer.trade_url, provider="all")
        assert "all providers" in compared.text
        assert "⚠️" not in compared.text
        refused = await live.use(live.agent, "inventory", tradeurl=world.private.trade_url)
        assert "Page" not in refused.text

        assert "your own" in (await live.use(live.customer, "trades")).text
        everybody = await live.use(live.agent, "trades", scope="all")
        assert "everyone's" in everybody.text

        assert "1010" in (await live.use(live.customer, "explain", code="1010", provider="assetpay")).text
        typed = await live.server.autocomplete(live.guild, live.channel, live.agent, "resend", "id", id=str(trade.id))
        assert [choice["value"] for choice in (await typed.finished()).choices] == [str(trade.id)]
        card = await live.requested(trade.id)
        await live.card_shows(card, "pending")
        decision = await (await live.decide(card)).finished()
        assert "· sent" in answer_of(decision).text
        await live.card_shows(card, "sent")
        assert card.custom_ids == []
        assert live.providers.mannco.resend_calls == {trade.id: 1}
        [message] = await live.server.until(lambda: live.server.direct_messages(live.customer))
        assert trade.code in message.text
    assert live.resend_states() == ["sent"]
    live.assert_sound()
