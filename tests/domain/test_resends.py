"""The states of a resend, who may decide on it, and what proves that it was carried out."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.audit import AuditAction
from bot.domain.resends import TRANSITIONS, ApproverRefusal, ResendState, TradeFacts, approver_refusal, change_in
from bot.domain.secrets import TradeCode
from bot.domain.steam import SteamId
from tests.domain.builders import BOT, NOW, OWNER, resend, trade

OPEN = {ResendState.PENDING, ResendState.APPROVED, ResendState.SENDING, ResendState.UNKNOWN}
ENDED = {ResendState.SENT, ResendState.FAILED, ResendState.DENIED, ResendState.EXPIRED, ResendState.CANCELLED}

REQUESTER, OWNER_USER, MODERATOR = 100, 200, 300
MODERATOR_STEAM_ID = BOT


def reachable(start: ResendState) -> set[ResendState]:
    found, left = set[ResendState](), [start]
    while left:
        for state in TRANSITIONS[left.pop()] - found:
            found.add(state)
            left.append(state)
    return found


def facts(**changes: object) -> TradeFacts:
    return TradeFacts.of(trade(**changes))


def test_every_state_is_there():
    """The ways between states are written down for every state, and lead to states."""
    assert set(TRANSITIONS) == set(ResendState) == OPEN | ENDED


def test_every_state_is_reachable():
    """A request begins pending and can come to every state from there."""
    assert reachable(ResendState.PENDING) == set(ResendState)


@pytest.mark.parametrize("state", ResendState)
def test_ends(state):
    """A settled request stays as it is; from an open one there is always a way to an end."""
    assert (TRANSITIONS[state] == frozenset()) == (state in ENDED)
    assert state in ENDED or reachable(state) & ENDED


@pytest.mark.parametrize("state", ResendState)
def test_is_open(state):
    """A request stands in the way of another one until it is settled, doubt included."""
    assert state.is_open == (state in OPEN)


@pytest.mark.parametrize("state", [ResendState.SENDING, ResendState.UNKNOWN])
def test_no_second_call(state):
    """Once the call may have been made there is no way back to where it would be made again."""
    assert reachable(state) <= {ResendState.SENT, ResendState.FAILED, ResendState.UNKNOWN}


def test_only_one_way_to_the_call():
    """Sending follows an approval and nothing else."""
    assert {state for state, ways in TRANSITIONS.items() if ResendState.SENDING in ways} == {ResendState.APPROVED}
    assert {state for state, ways in TRANSITIONS.items() if ResendState.APPROVED in ways} == {ResendState.PENDING}


@pytest.mark.parametrize("state", sorted(set(ResendState) - {ResendState.PENDING}))
def test_audited(state):
    """There is a word of the audit for every state that a request can come to."""
    assert AuditAction(f"resend.{state.value}")


@pytest.mark.parametrize(
    ("user_id", "steam_id", "owner_user_id", "refusal"),
    [
        (MODERATOR, MODERATOR_STEAM_ID, OWNER_USER, None),
        (MODERATOR, None, OWNER_USER, None),
        (MODERATOR, None, None, None),
        (REQUESTER, MODERATOR_STEAM_ID, OWNER_USER, ApproverRefusal.REQUESTER),
        (REQUESTER, None, None, ApproverRefusal.REQUESTER),
        (REQUESTER, OWNER, REQUESTER, ApproverRefusal.REQUESTER),
        (OWNER_USER, OWNER, OWNER_USER, ApproverRefusal.OWNER),
        (OWNER_USER, None, OWNER_USER, ApproverRefusal.OWNER),
        (OWNER_USER, MODERATOR_STEAM_ID, OWNER_USER, ApproverRefusal.OWNER),
        (MODERATOR, OWNER, OWNER_USER, ApproverRefusal.OWNER),
        (MODERATOR, OWNER, None, ApproverRefusal.OWNER),
        (MODERATOR, SteamId.parse(str(OWNER)), None, ApproverRefusal.OWNER),
    ],
)
def test_approver(user_id, steam_id, owner_user_id, refusal):
    """Neither who asked nor whose trade it is may approve, by Discord id or by linked Steam account."""
    decided = approver_refusal(
        resend(requested_by=REQUESTER), user_id=user_id, steam_id=steam_id, owner_user_id=owner_user_id
    )

    assert decided is refusal


def test_unlinked_owner():
    """Whoever owned the trade when the resend was asked for does not approve it after unlinking the account."""
    asked = resend(requested_by=REQUESTER, owner_user_id=OWNER_USER)

    assert approver_refusal(asked, user_id=OWNER_USER, steam_id=None, owner_user_id=None) is ApproverRefusal.OWNER
    assert approver_refusal(asked, user_id=MODERATOR, steam_id=None, owner_user_id=None) is None


CHANGES: dict[str, dict[str, Any]] = {
    "status": {"status": 4},
    "items_send": {"items_send": ("123456789",)},
    "items_received": {"items_received": ("5",)},
    "offer_id": {"offer_id": "6"},
    "last_error": {"last_error": "bot offline"},
    "code_digest": {"code": TradeCode("HGFEDCBA")},
}


def test_no_difference():
    """A trade that is as it was differs in nothing."""
    assert facts().differences(facts()) == ()


@pytest.mark.parametrize(("name", "change"), CHANGES.items())
def test_difference(name, change):
    """Each fact that a moderator judges by is named where it has changed, in both directions."""
    assert facts().differences(facts(**change)) == (name,)
    assert facts(**change).differences(facts()) == (name,)


def test_every_fact_is_compared():
    """There is no fact on the card whose change would go unnoticed."""
    everything = {name: value for change in CHANGES.values() for name, value in change.items()}

    assert set(CHANGES) == {field.name for field in fields(TradeFacts)}
    assert set(facts().differences(facts(**everything))) == set(CHANGES)


@pytest.mark.parametrize("change", [{"owner": BOT}, {"created_at": None}, {"game": None}, {"bot": None}])
def test_not_on_the_card(change):
    """What the moderator does not judge by makes no difference."""
    assert facts().differences(facts(**change)) == ()


def test_no_code_in_the_facts():
    """The facts recognise a code and do not hold it."""
    assert "ABCDEFGH" not in repr(facts())
    assert facts().code_digest == TradeCode("ABCDEFGH").digest()
    assert facts(code=None).code_digest is None


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, False),
        ({"code": TradeCode("HGFEDCBA")}, True),
        ({"code": TradeCode("HGFEDCBA"), "status": 0}, True),
        ({"code": TradeCode("HGFEDCBA"), "status": 4, "last_error": "offer declined"}, True),
        ({"code": None}, False),
        ({"code": None, "status": 4}, False),
        ({"status": 0}, False),
        ({"status": 4}, False),
        ({"last_error": "bot offline"}, False),
        ({"status": 4, "last_error": "bot offline"}, False),
        ({"items_received": ("5",)}, False),
        ({"offer_id": "6", "status": 0}, True),
        ({"offer_id": "6", "status": 3}, True),
        ({"offer_id": "6"}, False),
        ({"offer_id": "6", "status": 5}, False),
    ],
)
def test_shows_resend(change, shown):
    """A new code, or a new offer that did not fail, proves a resend; nothing else does."""
    assert facts().shows_resend(facts(**change)) == shown


def test_first_code():
    """A code where there was none is a new one."""
    assert facts(code=None).shows_resend(facts())
    assert not facts(code=None).shows_resend(facts(code=None))


@pytest.mark.parametrize("state", ResendState)
def test_due(state):
    """Only a pending request expires, at its very moment and not before."""
    request = resend(state=state, expires_at=NOW)
    pending = state is ResendState.PENDING

    assert request.is_due(NOW) == pending
    assert request.is_due(NOW + timedelta(days=400)) == pending
    assert not request.is_due(NOW - timedelta(microseconds=1))


@pytest.mark.parametrize("state", ResendState)
def test_to_be_recalled(state):
    """Only a pending request is recalled, once, from half of its life until it expires."""
    request = resend(state=state, requested_at=NOW, expires_at=NOW + timedelta(hours=2))
    half = NOW + timedelta(hours=1)
    pending = state is ResendState.PENDING

    assert request.is_reminder_due(half) == pending
    assert request.is_reminder_due(half + timedelta(minutes=59)) == pending
    assert not request.is_reminder_due(half - timedelta(microseconds=1))
    assert not request.is_reminder_due(half + timedelta(hours=1))
    assert not replace(request, reminded_at=NOW).is_reminder_due(half)


def test_kept_change():
    """What a card showed before can be read from its note: no item's number, and nothing of a code."""
    before = facts(status=7, items_send=("1", "2"), code=TradeCode("ABCDEFGH"))
    note = before.note_of_change(facts(status=5, items_send=("3",), code=TradeCode("HGFEDCBA")))

    assert note is not None
    assert change_in(note) == {"status": 7, "items_send": 2, "code_digest": None}
    assert before.note_of_change(before) is None
    assert change_in("restarted") is None


def test_request_holds_no_code():
    """A request in a log line shows no code of its trade."""
    assert "ABCDEFGH" not in repr(replace(resend(), state=ResendState.APPROVED))
