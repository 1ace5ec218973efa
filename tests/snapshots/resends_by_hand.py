"""The states of a resend that the demo's desk does not come by: cards, and messages about their ends."""

from collections.abc import Iterator
from datetime import timedelta

import discord
from discord.utils import utcnow

from bot.domain.links import Link, LinkSource
from bot.domain.resends import ALARM, CardContext, Outcome, Resend, ResendState, TradeFacts
from bot.domain.steam import Game
from bot.providers.explanations import Catalogue
from bot.ui.resends.card import outcome_embed, resend_card
from tests.domain.builders import OWNER, resend, trade
from tests.snapshots.shot import Shot

_CATALOGUE = Catalogue.load()
_NAMES = {100: "@requester", 200: "@moderator", 300: "@owner"}


def resend_states() -> Iterator[Shot]:
    """Return the card in every state and with every note, and the messages about every end."""
    yield from _every_state()
    yield from _notes()


def _shot(situation: str, reader: str, embed: discord.Embed) -> Shot:
    return Shot("resend_states", situation, reader, [embed], names=_NAMES)


def a_resend(**facts: object) -> Resend:
    """Return a request with what its card shows beside it."""
    now = utcnow()
    defaults = {
        "requested_at": now - timedelta(minutes=5),
        "expires_at": now + timedelta(hours=24),
        "facts": _facts(),
        "context": CardContext(Link(1, 300, OWNER, LinkSource.SIGN_IN, 300, now - timedelta(days=90))),
    }
    return resend(**(defaults | facts))


def _facts(**changes: object) -> TradeFacts:
    return TradeFacts.of(trade(game=Game.CS2, created_at=utcnow() - timedelta(days=2), **changes))


def _every_state() -> Iterator[Shot]:
    decided = {"decided_by": 200, "decided_at": utcnow() - timedelta(minutes=1)}
    for state in ResendState:
        facts = {} if state in (ResendState.PENDING, ResendState.EXPIRED, ResendState.CANCELLED) else decided
        one = a_resend(state=state, **facts)
        yield _shot(f"card, {state.value}", "moderators", resend_card(one, _CATALOGUE))
        if state not in (ResendState.PENDING, ResendState.APPROVED, ResendState.SENDING):
            yield _told(f"outcome, {state.value}", one)
    sent = a_resend(state=ResendState.SENT, owner_user_id=300, **decided)
    yield _told("outcome, sent", sent, reader=sent.requested_by, who="requester of the staff")
    for outcome in Outcome:
        yield _told(f"outcome, {outcome.value}", a_resend(state=ResendState.UNKNOWN, outcome=outcome, **decided))


def _told(situation: str, one: Resend, *, reader: int = 0, who: str = "requester and owner") -> Shot:
    return _shot(situation, who, outcome_embed(one, reader=reader, code=None))


def _notes() -> Iterator[Shot]:
    """The notes on a card: returned, changed, reminded, and an answer about another trade."""
    facts = _facts(status=4, last_error="", offer_id="1")
    changed = _facts().note_of_change(facts)
    assert changed is not None
    done = _facts(status=3, last_error="")
    for situation, one in (
        ("returned after a restart", a_resend(notes=("restarted",))),
        ("returned by a stop", a_resend(notes=("paused",))),
        ("changed before its approval", a_resend(notes=(changed,), facts=facts)),
        (
            "gone through before its approval",
            a_resend(
                state=ResendState.CANCELLED,
                decision_reason="no_longer_resendable",
                facts=done,
                asked_facts=_facts(),
                notes=(_facts().note_of_change(done) or "",),
            ),
        ),
        ("reminded", a_resend(reminded_at=utcnow() - timedelta(minutes=1))),
        (
            "an answer about another trade",
            a_resend(state=ResendState.UNKNOWN, outcome=Outcome.OTHER_TRADE, outcome_detail="7", notes=(ALARM,)),
        ),
        ("nobody could be told", a_resend(state=ResendState.SENT, notes=("requester_not_told", "owner_not_told"))),
    ):
        embed = resend_card(one, _CATALOGUE)
        yield _shot(f"card, {situation}", "moderators", embed)
