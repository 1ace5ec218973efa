"""A restored database serves, and sends nothing a second time."""

from collections.abc import Iterator

import pytest

from tests.e2e.live_bot import LiveBot
from tests.support import postgres
from tests.support.loopback_discord.messages import Message


@pytest.fixture(params=["sqlite", "postgres"], autouse=True)
def engine(request: pytest.FixtureRequest, live: LiveBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "sqlite":
        yield
        return
    monkeypatch.setenv("PATH", postgres.search_path())
    with postgres.database() as live.url:
        yield


async def test_restored_copy_serves(live: LiveBot):
    """A request that was sent after the backup is settled by reading; resends are paused until resumed."""
    world = live.world
    sent, open_still, *_ = [trade for trade in world.trades_of(world.customer) if trade.items_send]
    async with live.running():
        card = await live.requested(sent.id)
        other = await live.requested(open_still.id)
        async with live.bot("backup", "copy.db") as backup:
            assert await backup.wait(60.0) == 0
            assert backup.stderr == ""
        await (await live.decide(card)).finished()
        await live.card_shows(card, "sent")
        async with live.bot("restore", "copy.db") as refused:
            assert await refused.wait(60.0) == 75
            [line] = refused.stderr_lines
            assert "SkinDesk is running" in line

    async with live.bot("restore", "copy.db") as restore:
        assert await restore.wait(60.0) == 0
        assert "ok resends open then are unknown now: 2" in restore.stdout_lines

    async with live.running(set_up=False):
        await live.server.until(lambda: shown(live, card, "Reading the trade again"))
        await live.card_shows(other, "unknown")
        assert "restored from a copy" in other.text
        refusal = await live.use(live.agent, "resend", id=str(open_still.id))
        assert "stopped" in refusal.text
        assert "own" in (await live.use(live.customer, "trades")).text
        listed = await live.use(live.moderator, "approvals")
        assert "SkinDesk's database was restored from a copy or started new" in listed.text
        live.owner.roles.append(live.moderators)
        stopped = await live.use(live.owner, "approvals")
        [resume] = [custom_id for custom_id in stopped.custom_ids if "resume" in custom_id]
        await (await live.server.click(stopped, resume, live.owner)).finished()
        await live.give_reason(await (await live.decide(other, "failed")).finished(), "There is no new offer")
        await live.card_shows(other, "failed")
        again = await live.requested(open_still.id)
        assert max(ids(again.custom_ids)) > 2

    assert live.resend_states() == ["sent", "failed", "pending"]
    assert live.providers.mannco.resend_calls == {sent.id: 1}
    live.assert_sound()


def shown(live: LiveBot, card: Message, text: str) -> bool:
    """Return whether a card has shown a text at any time: what is read next may replace it."""
    edits = [each for each in live.server.requests if each.path.endswith(f"/messages/{card.id}")]
    return any(text in str(each.json) for each in edits)


def ids(custom_ids: list[str]) -> list[int]:
    """Return the request numbers of resend buttons."""
    return [int(custom_id.split(":")[1]) for custom_id in custom_ids if custom_id.startswith("resend:")]
