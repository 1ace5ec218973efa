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


async def test_day(services: LiveDesk):
    """The program starts, is set up, answers customer, agent and moderator, resends once, and leaves when told to."""
    world = services.world
    trade = world.trades_of(world.customer)[0]
    async with services.bot() as bot:
        await bot.wait_ready()
        assert COMMANDS.issubset(services.server.commands.names())
        await services.set_up()

        own = await services.use(services.customer, "inventory", tradeurl=world.customer.trade_url)
        assert "Page 1 of 8" in own.text
        assert "Page 2 of 8" in await services.turn(own, services.customer)
        others = await services.use(services.customer, "inventory", tradeurl=world.collector.trade_url)
        assert "inventory.any" in others.text
        compared = await services.use(
            services.agent, "inventory", tradeurl=world.other_customer.trade_url, provider="all"
        )
        assert "all providers" in compared.text
        assert "⚠️" not in compared.text
        refused = await services.use(services.agent, "inventory", tradeurl=world.private.trade_url)
        assert "Page" not in refused.text

        assert "your own" in (await services.use(services.customer, "trades")).text
        everybody = await services.use(services.agent, "trades", scope="all")
        assert "everybody's" in everybody.text

        assert "1010" in (await services.use(services.customer, "explain", code="1010", provider="assetpay")).text
        typed = await services.server.autocomplete(
            services.guild, services.channel, services.agent, "resend", "id", id=str(trade.id)
        )
        assert [choice["value"] for choice in (await typed.finished()).choices] == [str(trade.id)]
        card = await services.requested(trade.id)
        await services.card_shows(card, "pending")
        decision = await (await services.decide(card)).finished()
        assert "· sent" in answer_of(decision).text
        await services.card_shows(card, "sent")
        assert card.custom_ids == []
        assert services.providers.mannco.resend_calls == {trade.id: 1}
        [told] = services.server.direct_messages(services.customer)
        assert trade.code in told.text

        assert await bot.terminate(STOPS_WITHIN) == 0
    assert services.resend_states() == ["sent"]
    services.assert_sound()
