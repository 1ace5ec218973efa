"""What each ResendRepository stores about the cards of requests."""

from dataclasses import replace

from bot.domain.resends import Resend, ResendState
from bot.ports.resends import ResendRepository
from tests.contracts.samples import BEN, FACTS, GUILD, LATER, MESSAGE, NOW, draft, opened


async def test_facts_that_the_card_does_not_show(resends: ResendRepository) -> None:
    """New facts are not approved before the card, not an earlier one, is known to show them."""
    resend = await opened(resends)
    await resends.revise(GUILD, resend.id, replace(FACTS, status=10), version=1, at=NOW)
    assert await resends.approve(GUILD, resend.id, version=2, by=BEN, at=LATER) is None

    await resends.card_shows(GUILD, resend.id, message_id=MESSAGE + 1, version=2)
    assert await resends.approve(GUILD, resend.id, version=2, by=BEN, at=LATER) is None

    await resends.card_shows(GUILD, resend.id, message_id=MESSAGE, version=2)
    assert await resends.approve(GUILD, resend.id, version=2, by=BEN, at=LATER) is not None


async def test_card_that_is_behind(resends: ResendRepository) -> None:
    """Only what the card shows of this state and with these notes counts; one that stays behind is found again."""
    resend = await opened(resends)
    one = (resend.guild_id, resend.id)
    assert await resends.cards_behind(since=NOW) == ()
    denied = await resends.deny(*one, by=BEN, reason=None, at=LATER)
    assert denied is not None
    assert not denied.is_shown

    await resends.card_shows(*one, message_id=MESSAGE, version=1, state=ResendState.PENDING)
    assert await resends.cards_behind(since=NOW) == (denied,)
    assert await resends.cards_behind(since=LATER) == ()
    await resends.card_shows(*one, message_id=MESSAGE, version=1, state=ResendState.DENIED)
    assert await resends.cards_behind(since=NOW) == ()
    noted = await resends.add_note(*one, "requester_not_told")
    assert await resends.cards_behind(since=NOW) == (noted,)


async def test_one_card(resends: ResendRepository) -> None:
    """A message becomes the card only in the place of the one that its poster knew."""
    resend = await resends.open(draft())
    assert resend is not None
    one = (resend.guild_id, resend.id)

    async def attached(message_id: int, replaces: int | None, version: int | None = 1) -> Resend | None:
        return await resends.attach_card(*one, channel_id=5, message_id=message_id, version=version, replaces=replaces)

    assert await attached(1, replaces=2) is None
    first = await attached(1, replaces=None)
    assert first == replace(resend, channel_id=5, message_id=1, shown_version=1)
    assert await attached(2, replaces=None) is None
    assert await resends.get(*one) == first
    assert await attached(2, replaces=1, version=None) == replace(first, message_id=2, shown_version=None)
