"""The program on a restored database: it serves, and nothing is sent a second time."""

from tests.e2e.desk import STOPS_WITHIN, LiveDesk


async def test_restored_copy_serves(services: LiveDesk):
    """A request that was open in the backup and sent since is settled by reading; resends wait until resumed."""
    world = services.world
    sent, open_still, *_ = [trade for trade in world.trades_of(world.customer) if trade.items_send]
    async with services.bot() as bot:
        await bot.wait_ready()
        await services.set_up()
        card = await services.requested(sent.id)
        other = await services.requested(open_still.id)
        async with services.bot("backup", "copy.db") as backup:
            assert await backup.wait(60.0) == 0
            assert backup.stderr == ""
        await (await services.decide(card)).finished()
        await services.card_shows(card, "sent")
        async with services.bot("restore", "copy.db") as refused:
            assert await refused.wait(60.0) == 75
            [line] = refused.stderr_lines
            assert "SkinDesk is running" in line
        assert await bot.terminate(STOPS_WITHIN) == 0

    async with services.bot("restore", "copy.db") as restore:
        assert await restore.wait(60.0) == 0
        assert "ok resends open then are unknown now: 2" in restore.stdout_lines

    async with services.bot() as bot:
        await bot.wait_ready()
        await services.server.until(lambda: "Reading the trade again" in card.text)
        await services.card_shows(other, "unknown")
        assert "earlier state" in other.text
        refusal = await services.use(services.agent, "resend", id=str(open_still.id))
        assert "stopped" in refusal.text
        assert "own" in (await services.use(services.customer, "trades")).text
        listed = await services.use(services.moderator, "approvals")
        assert "earlier state of SkinDesk's database was restored" in listed.text
        services.owner.roles.append(services.moderators)
        stopped = await services.use(services.owner, "approvals")
        [resume] = [custom_id for custom_id in stopped.custom_ids if "resume" in custom_id]
        await (await services.server.click(stopped, resume, services.owner)).finished()
        await services.give_reason(await (await services.decide(other, "failed")).finished(), "There is no new offer")
        await services.card_shows(other, "failed")
        again = await services.requested(open_still.id)
        assert max(ids(again.custom_ids)) > 2
        assert await bot.terminate(STOPS_WITHIN) == 0

    assert services.resend_states() == ["sent", "failed", "pending"]
    assert services.providers.mannco.resend_calls == {sent.id: 1}
    services.assert_sound()


def ids(custom_ids: list[str]) -> list[int]:
    """Return the requests that buttons belong to."""
    return [int(custom_id.split(":")[1]) for custom_id in custom_ids if custom_id.startswith("resend:")]
