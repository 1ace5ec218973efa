"""The program as a process among the loopback Discord and the simulated providers: a day at the desk."""

from tests.e2e.desk import STOPS_WITHIN, LiveDesk, answer_of

COMMANDS = {
    "inventory",
    "trades",
    "resend",
    "approvals",
    "explain",
    "link set",
    "link status",
    "link remove",
    "access grant",
    "access revoke",
    "access list",
    "settings show",
    "settings approvals-channel",
    "settings audit-channel",
}


async def test_day(desk: LiveDesk):
    """The program starts, is set up, answers customer, agent and moderator, resends once, and leaves when told to."""
    world = desk.world
    trade = world.trades_of(world.customer)[0]
    async with desk.bot() as bot:
        await bot.wait_ready()
        assert COMMANDS.issubset(desk.server.commands.names())
        await desk.set_up()

        own = await desk.use(desk.customer, "inventory", tradeurl=world.customer.trade_url)
        assert "Page 1 of 8" in own.text
        assert "Page 2 of 8" in await desk.turn(own, desk.customer)
        others = await desk.use(desk.customer, "inventory", tradeurl=world.collector.trade_url)
        assert "inventory.any" in others.text
        compared = await desk.use(desk.agent, "inventory", tradeurl=world.other_customer.trade_url, provider="all")
        assert "all providers" in compared.text
        assert "⚠️" not in compared.text
        refused = await desk.use(desk.agent, "inventory", tradeurl=world.private.trade_url)
        assert "Page" not in refused.text

        assert "your own" in (await desk.use(desk.customer, "trades")).text
        everybody = await desk.use(desk.agent, "trades", scope="all")
        assert "everybody's" in everybody.text

        assert "1010" in (await desk.use(desk.customer, "explain", code="1010", provider="assetpay")).text
        typed = await desk.server.autocomplete(desk.guild, desk.channel, desk.agent, "resend", "id", id=str(trade.id))
        assert [choice["value"] for choice in (await typed.finished()).choices] == [str(trade.id)]
        card = await desk.requested(trade.id)
        await desk.card_shows(card, "pending")
        decision = await (await desk.decide(card)).finished()
        assert "· sent" in answer_of(decision).text
        await desk.card_shows(card, "sent")
        assert card.custom_ids == []
        assert desk.providers.mannco.resend_calls == {trade.id: 1}
        [told] = desk.server.direct_messages(desk.customer)
        assert trade.code in told.text

        assert await bot.terminate(STOPS_WITHIN) == 0
    assert desk.resend_states() == ["sent"]
    desk.assert_sound()
