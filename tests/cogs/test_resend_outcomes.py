"""How an approved resend ends on its card and for those concerned, through the simulated Discord."""

import discord
import pytest
import simcord

from bot.demo.scene import Scene
from bot.demo.trades import ResendAnswer
from tests.cogs.approvals import (
    TO_MARK,
    another_moderator,
    buttons,
    close_direct_messages,
    code_sightings,
    codes,
    direct_messages,
    face,
    failed_trade,
    followups,
    give_reason,
    link,
    newest_card,
    requested,
    state_of,
    unlucky_trade,
)
from tests.support.seen import text_of


@pytest.mark.parametrize(
    ("answer", "state", "sentence"),
    [
        (ResendAnswer.OK, "sent", "Mannco.store confirmed the resend"),
        (ResendAnswer.REFUSE, "failed", "Mannco.store refused the resend"),
        (ResendAnswer.FORBIDDEN, "failed", "Nothing was sent: Mannco.store refused SkinDesk's login"),
        (ResendAnswer.THROTTLED, "failed", "Too many requests"),
        (ResendAnswer.HTML, "unknown", "gave no clear answer"),
        (ResendAnswer.LOST_BEFORE, "unknown", "gave no clear answer"),
        (ResendAnswer.LOST_AFTER, "sent", "Reading the trade again showed that it was sent"),
        (ResendAnswer.SERVER_ERROR_AFTER, "sent", "Reading the trade again showed that it was sent"),
        (ResendAnswer.OTHER_TRADE, "sent", "Reading the trade again showed that it was sent"),
    ],
)
async def test_answer(
    scene: Scene, caplog: pytest.LogCaptureFixture, answer: ResendAnswer, state: str, sentence: str
) -> None:
    """Each answer shows as what it is, requester and owner hear of it, and no second call follows."""
    trade = unlucky_trade(scene, answer)
    await link(scene, scene.customer, trade.user)
    request = await scene.agent.slash(scene.channel, "resend", id=str(trade.id))
    card = newest_card(scene)

    result = await scene.moderator.click(card, label="Approve")

    for text in (text_of(result), face(scene, card), *followups(request), *direct_messages(scene.customer)):
        assert f"Resend 1 · {state}" in text
    assert sentence in face(scene, card)
    assert buttons(scene, card) == (TO_MARK if state == "unknown" else {})
    assert len(followups(request)) == len(direct_messages(scene.customer)) == 1
    assert len(code_sightings(scene)) == (1 if state == "sent" else 0)
    await scene.env.advance_time(30)
    assert state_of(scene, card) == state
    assert scene.providers.mannco.resend_calls == {trade.id: 1}
    if answer is ResendAnswer.OTHER_TRADE:
        assert "resend answered for another trade" in caplog.text
        caplog.clear()


async def test_card_while_it_is_sent(scene: Scene) -> None:
    """While the call is under way the card says so, by whom it was approved, and has no buttons."""
    card = await requested(scene, failed_trade(scene))

    await scene.moderator.click(card, label="Approve")

    edits = [
        request.json["embeds"][0]["title"].rpartition(" · ")[2]
        for request in scene.env.http_requests
        if request.method == "PATCH" and request.path.endswith(f"/messages/{card.id}") and request.json is not None
    ]
    assert edits == ["sending", "sent"]


# Doubts


async def _doubtful(scene: Scene) -> tuple[simcord.InteractionResult, discord.Message]:
    scene.providers.mannco.next_resends.append(ResendAnswer.LOST_BEFORE)
    request = await scene.agent.slash(scene.channel, "resend", id=str(failed_trade(scene).id))
    card = newest_card(scene)
    await scene.moderator.click(card, label="Approve")
    assert state_of(scene, card) == "unknown"
    assert buttons(scene, card) == TO_MARK
    return request, card


async def test_doubt_settled_by_reading(scene: Scene) -> None:
    """As soon as the trade shows that it was sent, the card says so, and requester and owner hear of it."""
    request, card = await _doubtful(scene)
    trade = failed_trade(scene)
    scene.providers.mannco.carry_out(trade)

    await scene.env.advance_time(10)

    assert state_of(scene, card) == "sent"
    assert buttons(scene, card) == {}
    assert "Resend 1 · sent" in followups(request)[-1]
    assert trade.code in direct_messages(scene.customer)[-1]
    assert len(code_sightings(scene)) == 1
    assert scene.providers.mannco.resend_calls == {trade.id: 1}


@pytest.mark.parametrize(("label", "state"), [("Mark as sent", "sent"), ("Mark as failed", "failed")])
async def test_doubt_settled_by_hand(scene: Scene, label: str, state: str) -> None:
    """A second moderator settles the doubt: the card names who approved, who marked, when and why."""
    request, card = await _doubtful(scene)
    other = another_moderator(scene)
    await scene.env.advance_time(60)

    asked = await other.click(card, label=label)
    answer = await give_reason(asked, other, "seen in the bot's Steam history")

    assert answer.ephemeral
    assert state_of(scene, card) == state
    assert buttons(scene, card) == {}
    when = int(scene.clock.now().timestamp())
    assert f"Approved by <@{scene.moderator.id}> <t:{when - 60}:R>" in face(scene, card)
    assert f"Marked by <@{other.id}> <t:{when}:R>" in face(scene, card)
    for text in (face(scene, card), followups(request)[-1], direct_messages(scene.customer)[-1]):
        assert f"Resend 1 · {state}" in text
        assert "Reason: seen in the bot's Steam history" in text
    await scene.env.advance_time(30)
    assert state_of(scene, card) == state
    assert sum(scene.providers.mannco.resend_calls.values()) == 1


# Closed direct messages


async def test_owner_without_direct_messages(scene: Scene) -> None:
    """An owner who takes no direct messages is named on the card, and the code goes nowhere."""
    close_direct_messages(scene, scene.customer)
    card = await requested(scene, failed_trade(scene))

    await scene.moderator.click(card, label="Approve")

    assert state_of(scene, card) == "sent"
    assert "The trade's owner could not be told by direct message" in face(scene, card)
    assert direct_messages(scene.customer) == []


async def test_customer_without_direct_messages(scene: Scene) -> None:
    """A customer without direct messages gets the outcome of their own request by follow-up; the code is in /trades."""
    close_direct_messages(scene, scene.customer)
    request = await scene.customer.slash(scene.channel, "resend", id=str(failed_trade(scene).id))
    card = newest_card(scene)

    await scene.moderator.click(card, label="Approve")

    (text,) = followups(request)
    assert "those that `/trades` shows" in text
    assert "could not be told" not in face(scene, card)


async def test_requester_without_direct_messages(scene: Scene) -> None:
    """A requester whose command is long over and who takes no direct messages is named on the card."""
    card = await requested(scene, failed_trade(scene))
    scene.env.inject_error("POST", "/webhooks/*/*", status=404, code=10015, message="Unknown Webhook")
    close_direct_messages(scene, scene.agent)

    await scene.moderator.click(card, label="Approve")

    assert state_of(scene, card) == "sent"
    assert "The requester could not be told by direct message" in face(scene, card)
    assert len(direct_messages(scene.customer)) == 1


async def test_requester_whose_command_is_long_over(scene: Scene) -> None:
    """A requester whose follow-up is refused gets a direct message without the code."""
    trade = failed_trade(scene)
    request = await scene.agent.slash(scene.channel, "resend", id=str(trade.id))
    card = newest_card(scene)
    scene.env.inject_error("POST", "/webhooks/*/*", status=401, code=50027, message="Invalid Webhook Token")

    await scene.moderator.click(card, label="Approve")

    assert followups(request) == []
    (text,) = direct_messages(scene.agent)
    assert "Resend 1 · sent" in text
    assert trade.code not in text
    assert codes(scene)


async def test_discord_away(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """If Discord cannot be reached after the call, the approver gets the outcome, and the card is updated later."""
    trade = failed_trade(scene)
    card = await requested(scene, trade)

    async def away(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(scene.client.http, "request", away)
    result = await scene.moderator.click(card, label="Approve")
    monkeypatch.undo()

    assert "Resend 1 · sent" in text_of(result)
    assert state_of(scene, card) == "pending"
    (late,) = followups(await scene.moderator.click(card, label="Approve"))
    assert "Already decided" in late
    assert state_of(scene, card) == "sent"
    assert "The trade's owner could not be told" in face(scene, card)
    assert scene.providers.mannco.resend_calls == {trade.id: 1}
