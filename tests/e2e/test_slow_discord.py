"""Discord answers every edit of a card after half a minute; decisions are told and unknown outcomes read meanwhile."""

from functools import partial

from bot.demo.trades import ResendAnswer
from tests.e2e.live_bot import LiveBot, answer_of

EDITS = "/channels/*/messages/*"


def told(live: LiveBot, state: str, times: int) -> bool:
    """Return whether so many messages have told requester and owner a state."""
    requests = [record for record in live.server.interactions.records if record.name == "resend"]
    messages = [message for record in requests for message in record.followups]
    messages += live.server.direct_messages(live.customer)
    return sum(f"· {state}\n" in message.text for message in messages) == times


async def test_edits_of_half_a_minute(live: LiveBot) -> None:
    """No edit is answered before approver, requester and owner have their answers, and reading has settled a doubt."""
    doubtful, sent, denied = [trade for trade in live.world.trades_of(live.world.customer) if trade.items_send][:3]
    for trade in (doubtful, sent, denied):
        trade.status = -1
    async with live.running():
        slow = live.server.faults.delay("PATCH", EDITS, 30.0, times=99)
        cards = [await live.requested(trade.id) for trade in (doubtful, sent, denied)]
        live.providers.mannco.next_resends.extend([ResendAnswer.LOST_BEFORE, ResendAnswer.OK])

        answers = [answer_of(await (await live.decide(card)).finished()).text for card in cards[:2]]
        opened = await (await live.decide(cards[2], "deny")).finished()
        await live.give_reason(opened, "not now")
        for state in ("unknown", "sent", "denied"):
            await live.server.until(partial(told, live, state, 2))
        live.providers.mannco.carry_out(doubtful)
        await live.server.until(partial(told, live, "sent", 4))

        edits = [each for each in live.server.requests if each.matches("PATCH", EDITS)]
        assert slow.used == len(edits) >= 1  # discord.py sends them one after the other
        assert [edit.status for edit in edits] == [None] * len(edits)
    assert ["· unknown\n" in answers[0], "· sent\n" in answers[1]] == [True, True]
    assert live.providers.mannco.resend_calls == {doubtful.id: 1, sent.id: 1}
    assert live.resend_states() == ["sent", "sent", "denied"]

    assert told(live, "sent", 4)
    assert told(live, "denied", 2)
    live.assert_sound()
