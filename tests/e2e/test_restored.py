"""The program on a restored database: it serves, and nothing is sent a second time."""

from tests.e2e.desk import STOPS_WITHIN, LiveDesk


async def test_restored_copy_serves(desk: LiveDesk):
    """A request that was open in the backup and sent since is settled by reading; resends wait until resumed."""
    world = desk.world
    sent, open_still, *_ = [trade for trade in world.trades_of(world.customer) if trade.items_send]
    async with desk.bot() as bot:
        await bot.wait_ready()
        await desk.set_up()
        card = await desk.requested(sent.id)
        other = await desk.requested(open_still.id)
        async with desk.bot("backup", "copy.db") as backup:
            assert await backup.wait(60.0) == 0
            assert backup.stderr == ""
        await (await desk.decide(card)).finished()
        await desk.card_shows(card, "sent")
        async with desk.bot("restore", "copy.db") as refused:
            assert await refused.wait(60.0) == 75
            [line] = refused.stderr_lines
            assert "SkinDesk is running" in line
        assert await bot.terminate(STOPS_WITHIN) == 0

    async with desk.bot("restore", "copy.db") as restore:
        assert await restore.wait(60.0) == 0
        assert "ok resends open then are unknown now: 2" in restore.stdout_lines

    async with desk.bot() as bot:
        await bot.wait_ready()
        await desk.server.until(lambda: "Reading the trade again" in card.text)
        await desk.card_shows(other, "unknown")
        assert "earlier state" in other.text
        refusal = await desk.use(desk.agent, "resend", id=str(open_still.id))
        assert "stopped" in refusal.text
        assert "own" in (await desk.use(desk.customer, "trades")).text
        listed = await desk.use(desk.moderator, "approvals")
        assert "earlier state of SkinDesk's database was restored" in listed.text
        desk.owner.roles.append(desk.moderators)
        stopped = await desk.use(desk.owner, "approvals")
        [resume] = [custom_id for custom_id in stopped.custom_ids if "resume" in custom_id]
        await (await desk.server.click(stopped, resume, desk.owner)).finished()
        await desk.give_reason(await (await desk.decide(other, "failed")).finished(), "There is no new offer")
        await desk.card_shows(other, "failed")
        again = await desk.requested(open_still.id)
        assert max(ids(again.custom_ids)) > 2
        assert await bot.terminate(STOPS_WITHIN) == 0

    assert desk.resend_states() == ["sent", "failed", "pending"]
    assert desk.providers.mannco.resend_calls == {sent.id: 1}
    desk.assert_sound()


def ids(custom_ids: list[str]) -> list[int]:
    """Return the requests that buttons belong to."""
    return [int(custom_id.split(":")[1]) for custom_id in custom_ids if custom_id.startswith("resend:")]
