"""The states of a resend, its approvers, and the proof that it was carried out."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.audit import AuditAction
from bot.domain.links import Holder
from bot.domain.resends import TRANSITIONS, ApproverRefusal, ResendState, TradeFacts, approver_refusal, change_in
from bot.domain.secrets import TradeCode
from bot.domain.steam import Game, SteamId
from tests.domain.builders import BOT, NOW, OWNER, resend, trade

OPEN = {ResendState.PENDING, ResendState.APPROVED, ResendState.SENDING, ResendState.UNKNOWN}
ENDED = {ResendState.SENT, ResendState.FAILED, ResendState.DENIED, ResendState.EXPIRED, ResendState.CANCELLED}

REQUESTER, OWNER_USER, MODERATOR = 100, 200, 300
MODERATORS_ACCOUNT, OTHER = BOT, SteamId.from_account_id(77)


def reachable(start: ResendState) -> set[ResendState]:
    found, left = set[ResendState](), [start]
    while left:
        for state in TRANSITIONS[left.pop()] - found:
            found.add(state)
            left.append(state)
    return found


def facts(**changes: object) -> TradeFacts:
    return TradeFacts.of(trade(**changes))


def test_every_state_is_reachable():
    """Every state can be reached from pending."""
    assert reachable(ResendState.PENDING) == set(TRANSITIONS) == set(ResendState) == OPEN | ENDED


@pytest.mark.parametrize("state", ResendState)
def test_ends(state):
    """A settled request never changes, an open one can always end, and each state has its audit action."""
    assert state.is_open == bool(TRANSITIONS[state]) == (state in OPEN)
    assert state in ENDED or reachable(state) & ENDED
    assert state is ResendState.PENDING or AuditAction(f"resend.{state.value}")


@pytest.mark.parametrize("state", [ResendState.SENDING, ResendState.UNKNOWN])
def test_no_second_call(state):
    """After the call no state leads to a second call."""
    assert reachable(state) <= {ResendState.SENT, ResendState.FAILED, ResendState.UNKNOWN}


def test_only_one_way_to_the_call():
    """Sending follows only an approval."""
    assert {state for state, ways in TRANSITIONS.items() if ResendState.SENDING in ways} == {ResendState.APPROVED}
    assert {state for state, ways in TRANSITIONS.items() if ResendState.APPROVED in ways} == {ResendState.PENDING}


@pytest.mark.parametrize(
    ("user_id", "then_owner", "holders", "refusal"),
    [
        (MODERATOR, OWNER_USER, {OWNER_USER: [OWNER], MODERATOR: [MODERATORS_ACCOUNT]}, None),
        (MODERATOR, None, {}, None),
        (REQUESTER, OWNER_USER, {REQUESTER: [MODERATORS_ACCOUNT]}, ApproverRefusal.REQUESTER),
        (OWNER_USER, None, {OWNER_USER: [OWNER]}, ApproverRefusal.OWNER),
        (OWNER_USER, OWNER_USER, {}, ApproverRefusal.OWNER),
        (OWNER_USER, OWNER_USER, {MODERATOR: [OWNER]}, ApproverRefusal.OWNER),
        (MODERATOR, OWNER_USER, {OWNER_USER: [OWNER], MODERATOR: [OWNER]}, ApproverRefusal.OWNER),
        (MODERATOR, None, {MODERATOR: [OWNER, MODERATORS_ACCOUNT]}, ApproverRefusal.OWNER),
        (MODERATOR, None, {REQUESTER: [OTHER], MODERATOR: [OTHER]}, ApproverRefusal.SHARED_ACCOUNT),
        (MODERATOR, None, {OWNER_USER: [OWNER, OTHER], MODERATOR: [OTHER]}, ApproverRefusal.SHARED_ACCOUNT),
        (MODERATOR, OWNER_USER, {OWNER_USER: [OTHER], MODERATOR: [OTHER]}, ApproverRefusal.SHARED_ACCOUNT),
        (MODERATOR, None, {700: [OTHER], MODERATOR: [OTHER]}, None),
    ],
)
def test_approver(user_id, then_owner, holders, refusal):
    """Neither requester nor owner decides: by Discord id, then or now, and by any account they have or had lately."""
    asked = resend(requested_by=REQUESTER, owner_user_id=then_owner)
    held = [Holder(holder, account) for holder, accounts in holders.items() for account in accounts]

    assert approver_refusal(asked, user_id=user_id, holders=held) is refusal


CHANGES: dict[str, dict[str, Any]] = {
    "status": {"status": 4},
    "items_send": {"items_send": ("123456789",)},
    "items_received": {"items_received": ("5",)},
    "offer_id": {"offer_id": "6"},
    "last_error": {"last_error": "bot offline"},
    "code_digest": {"code": TradeCode("HGFEDCBA")},
}

ONLY_SHOWN: dict[str, dict[str, Any]] = {
    "created_at": {"created_at": None},
    "game": {"game": Game.RUST},
    "bot": {"bot": None},
}


@pytest.mark.parametrize(("name", "change"), CHANGES.items())
def test_difference(name, change):
    """Each changed fact is named, in both directions."""
    assert {*CHANGES, *ONLY_SHOWN} == {field.name for field in fields(TradeFacts)}
    assert facts().differences(facts(**change)) == (name,)
    assert facts(**change).differences(facts()) == (name,)


@pytest.mark.parametrize("change", [{"owner": BOT}, *ONLY_SHOWN.values()])
def test_only_shown(change):
    """Facts that never change, and those that are not on the card, make no difference."""
    assert facts().differences(facts(**change)) == ()


def test_no_code_in_the_facts():
    """The facts contain the digest of a code, not the code."""
    assert "ABCDEFGH" not in repr(facts())
    assert facts().code_digest == TradeCode("ABCDEFGH").digest()
    assert facts(code=None).code_digest is None
    assert "ABCDEFGH" not in repr(resend())


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, False),
        ({"code": TradeCode("HGFEDCBA")}, True),
        ({"code": TradeCode("HGFEDCBA"), "status": 4, "last_error": "offer declined"}, True),
        ({"code": None}, False),
        ({"status": 0}, False),
        ({"status": 4, "last_error": "bot offline"}, False),
        ({"items_received": ("5",)}, False),
        ({"offer_id": "6", "status": 0}, True),
        ({"offer_id": "6", "status": 3}, True),
        ({"offer_id": "6"}, False),
        ({"offer_id": "6", "status": 5}, False),
    ],
)
def test_shows_resend(change, shown):
    """Only a new code, or a new offer that did not fail, proves a resend."""
    assert facts().shows_resend(facts(**change)) == shown
    assert facts(code=None).shows_resend(facts())


@pytest.mark.parametrize("state", ResendState)
def test_due(state):
    """Only a pending request expires, from its exact time."""
    request = resend(state=state, expires_at=NOW)
    pending = state is ResendState.PENDING

    assert request.is_due(NOW) == pending
    assert request.is_due(NOW + timedelta(days=400)) == pending
    assert not request.is_due(NOW - timedelta(microseconds=1))


@pytest.mark.parametrize("state", ResendState)
def test_reminder(state):
    """Only a pending request gets a reminder, once, in the second half of its time."""
    request = resend(state=state, requested_at=NOW, expires_at=NOW + timedelta(hours=2))
    half = NOW + timedelta(hours=1)
    pending = state is ResendState.PENDING

    assert request.is_reminder_due(half) == pending
    assert request.is_reminder_due(half + timedelta(minutes=59)) == pending
    assert not request.is_reminder_due(half - timedelta(microseconds=1))
    assert not request.is_reminder_due(half + timedelta(hours=1))
    assert not replace(request, reminded_at=NOW).is_reminder_due(half)


def test_kept_change():
    """The note has the old values without asset ids and codes."""
    before = facts(status=7, items_send=("1", "2"), code=TradeCode("ABCDEFGH"))
    note = before.note_of_change(facts(status=5, items_send=("3",), code=TradeCode("HGFEDCBA")))

    assert note is not None
    assert change_in(note) == {"status": 7, "items_send": 2, "code_digest": None}
    assert before.note_of_change(before) is None
    assert change_in("restarted") is None
