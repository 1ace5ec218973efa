"""What a moderator has not been shown is not approved, even where a crash kept the card from showing it."""

from contextlib import suppress

from bot.domain.resends import ResendState
from tests.services.resend_desk import MODERATOR, TRADE, Crashed, ResendDesk


async def test_crash_between_new_facts_and_their_card(desk: ResendDesk):
    """Facts that were kept just before a crash are on the card once the next process has started."""
    resend = await desk.requested()
    desk.provider.change(TRADE, status=5)

    async def crash_after_revising(name: str) -> None:
        if name == "resends.revise after":
            desk.crash()

    desk.step = crash_after_revising
    with suppress(Crashed):
        await desk.service.approve(resend.id, by=MODERATOR)
    desk.step = None
    assert (await desk.row(resend)).facts.status == 5
    assert desk.cards.shown[resend.id].facts.status == -1

    await desk.start()

    shown = desk.cards.shown[resend.id]
    assert (shown.state, shown.version, shown.facts.status) == (ResendState.PENDING, 2, 5)
    assert desk.provider.calls == {}
