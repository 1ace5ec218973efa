"""Cards over time: expiry, restarts and interrupted work, through the simulated Discord."""

from pathlib import Path

import pytest

from bot.client import SkinDeskClient
from bot.demo.scene import Scene
from bot.demo.trades import ResendAnswer
from tests.cogs.approvals import (
    TO_MARK,
    buttons,
    direct_messages,
    face,
    failed_trade,
    followups,
    give_reason,
    newest_card,
    requested,
    scene_with,
    state_of,
)

SOON = {"expires_after_hours": 0.01}
"""36 seconds."""


async def restarted(scene: Scene) -> None:
    """Restart the bot: another client over the same database."""
    client = SkinDeskClient(services=scene.client.services, cards=scene.client.cards)
    scene.client.cards.connect(client)
    await scene.env.restart_bot(client)


async def test_expired(tmp_path: Path) -> None:
    """A request without a decision expires: its card loses the buttons, requester and owner hear of it."""
    async with scene_with(tmp_path, resends=SOON) as scene:
        request = await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene).id))
        card = newest_card(scene)
        await scene.env.advance_time(35)
        card = newest_card(scene)
        assert state_of(scene, card) == "pending"

        await scene.env.advance_time(6)

        assert state_of(scene, card) == "expired"
        assert buttons(scene, card) == {}
        assert "no one decided in time" in face(scene, card)
        assert "Expires" not in face(scene, card)
        for text in (*followups(request), *direct_messages(scene.customer)):
            assert "Resend 1 · expired" in text
        assert len(followups(request)) == len(direct_messages(scene.customer)) == 1
        assert scene.providers.mannco.resend_calls == {}
        again = await requested(scene, failed_trade(scene))
        assert state_of(scene, again) == "pending"


@pytest.mark.parametrize("label", ["Approve", "Deny"])
async def test_buttons_after_a_restart(scene: Scene, label: str) -> None:
    """A card of an earlier run works; its requester gets the outcome although the command is from that run."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)
    await restarted(scene)

    result = await scene.moderator.click(card, label=label)
    if label == "Deny":
        result = await give_reason(result, scene.moderator, "no")

    assert result.response is not None
    assert result.response.ephemeral
    assert state_of(scene, card) == {"Approve": "sent", "Deny": "denied"}[label]
    assert buttons(scene, card) == {}
    assert scene.providers.mannco.resend_calls == ({trade.id: 1} if label == "Approve" else {})


async def test_doubt_after_a_restart(scene: Scene) -> None:
    """A doubt of an earlier run has its buttons, is read at once, and is settled by what the trade shows."""
    trade = failed_trade(scene)
    scene.providers.mannco.next_resends.append(ResendAnswer.LOST_BEFORE)
    card = await requested(scene, trade)
    await scene.moderator.click(card, label="Approve")
    await restarted(scene)
    assert buttons(scene, card) == TO_MARK
    scene.providers.mannco.carry_out(trade)

    await restarted(scene)

    assert state_of(scene, card) == "sent"
    assert scene.providers.mannco.resend_calls == {trade.id: 1}


async def test_bad_round(scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A round of the background that fails is in the log, and the next one does its work."""
    trade = failed_trade(scene)
    scene.providers.mannco.next_resends.append(ResendAnswer.LOST_BEFORE)
    card = await requested(scene, trade)
    await scene.moderator.click(card, label="Approve")
    scene.providers.mannco.carry_out(trade)

    async def fail() -> None:
        raise OSError

    monkeypatch.setattr(scene.client.services.delivery._repository, "all_open", fail)
    await scene.env.advance_time(10)
    assert state_of(scene, card) == "unknown"
    assert "background job failed job=resends" in caplog.text
    caplog.clear()
    monkeypatch.undo()

    await scene.env.advance_time(10)

    assert state_of(scene, card) == "sent"
