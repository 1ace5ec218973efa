"""Each ResendRepository makes the transitions of the domain and no other."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.audit import AuditAction
from bot.domain.resends import TRANSITIONS, Outcome, Resend, ResendState, Settlement
from bot.ports import AuditRepository
from bot.ports.resends import ResendRepository
from tests.contracts.samples import ADA, ADAS_ACCOUNT, BEN, CLEO, GUILD, LATER, draft, in_state

Change = Callable[[ResendRepository, Resend], Awaitable[Resend | None]]

CHANGES: dict[str, Change] = {
    "approve": lambda repository, resend: repository.approve(
        resend.guild_id, resend.id, version=resend.version, by=BEN, at=LATER
    ),
    "begin_sending": lambda repository, resend: repository.begin_sending(resend.guild_id, resend.id, at=LATER),
    "return": lambda repository, resend: repository.return_to_pending(
        resend.guild_id, resend.id, worker=resend.worker, note="restarted", at=LATER
    ),
    "deny": lambda repository, resend: repository.deny(resend.guild_id, resend.id, by=BEN, reason="no", at=LATER),
    "expire": lambda repository, resend: repository.expire(resend.guild_id, resend.id, at=LATER),
    "cancel": lambda repository, resend: repository.cancel(
        resend.guild_id, resend.id, at=LATER, reason="card_not_posted"
    ),
    "mark_unknown": lambda repository, resend: repository.mark_unknown(
        resend.guild_id, resend.id, worker=resend.worker, outcome=Outcome.INTERRUPTED, detail=None, at=LATER
    ),
    "sent": lambda repository, resend: repository.settle(
        resend.guild_id, resend.id, Settlement(sent=True, outcome=Outcome.READ_BACK), at=LATER
    ),
    "failed": lambda repository, resend: repository.settle(
        resend.guild_id, resend.id, Settlement(sent=False, outcome=Outcome.MARKED, by=CLEO), at=LATER
    ),
}


OUTCOMES: dict[str, tuple[ResendState, ResendState, dict[str, Any], AuditAction, int | None, dict[str, str]]] = {
    "approve": (
        ResendState.PENDING,
        ResendState.APPROVED,
        {"decided_by": BEN, "decided_at": LATER},
        AuditAction.RESEND_APPROVED,
        BEN,
        {"version": "1"},
    ),
    "begin_sending": (
        ResendState.APPROVED,
        ResendState.SENDING,
        {"sent_at": LATER},
        AuditAction.RESEND_SENDING,
        None,
        {},
    ),
    "return": (
        ResendState.APPROVED,
        ResendState.PENDING,
        {"decided_by": None, "decided_at": None, "version": 2, "notes": ("restarted",)},
        AuditAction.RESEND_RETURNED,
        None,
        {},
    ),
    "deny": (
        ResendState.PENDING,
        ResendState.DENIED,
        {"decided_by": BEN, "decided_at": LATER, "decision_reason": "no", "settled_at": LATER},
        AuditAction.RESEND_DENIED,
        BEN,
        {},
    ),
    "expire": (ResendState.PENDING, ResendState.EXPIRED, {"settled_at": LATER}, AuditAction.RESEND_EXPIRED, None, {}),
    "cancel": (
        ResendState.PENDING,
        ResendState.CANCELLED,
        {"decision_reason": "card_not_posted", "settled_at": LATER},
        AuditAction.RESEND_CANCELLED,
        None,
        {"reason": "card_not_posted"},
    ),
    "mark_unknown": (
        ResendState.SENDING,
        ResendState.UNKNOWN,
        {"outcome": Outcome.INTERRUPTED, "settle_after": LATER},
        AuditAction.RESEND_UNKNOWN,
        None,
        {"outcome": "interrupted"},
    ),
    "sent": (
        ResendState.UNKNOWN,
        ResendState.SENT,
        {"outcome": Outcome.READ_BACK, "outcome_detail": None, "settled_at": LATER, "settle_after": None},
        AuditAction.RESEND_SENT,
        None,
        {"outcome": "read_back"},
    ),
    "failed": (
        ResendState.SENDING,
        ResendState.FAILED,
        {"outcome": Outcome.MARKED, "settled_at": LATER, "settled_by": CLEO},
        AuditAction.RESEND_FAILED,
        CLEO,
        {"outcome": "marked"},
    ),
}
"""The states before and after a change, the changed fields, and the action, actor and own details of its audit row."""


@pytest.mark.parametrize("name", CHANGES)
async def test_change(resends: ResendRepository, audit: AuditRepository, name: str) -> None:
    """A change sets its fields and no other, and returns its audit row."""
    state, target, fields, action, actor_id, detail = OUTCOMES[name]
    before = await in_state(resends, state)

    changed = await CHANGES[name](resends, before)

    assert changed == replace(before, state=target, shown_version=None, **fields)
    assert await resends.get(GUILD, before.id) == changed
    (row,) = changed.audit_rows
    assert row == (await audit.newest(GUILD, limit=1))[0]
    assert (row.action, row.actor_id, row.at, row.subject) == (action, actor_id, LATER, f"resend:{before.id}")
    common = {"provider": "mannco", "trade": "4812", "owner": str(ADAS_ACCOUNT), "requester": str(ADA)}
    assert row.detail == common | detail


@pytest.mark.parametrize("state", list(ResendState))
async def test_from_each_state(resends: ResendRepository, audit: AuditRepository, state: ResendState) -> None:
    """A change makes a transition of the domain with one audit row, or changes nothing."""
    reached = set()
    for trade_id, change in enumerate(CHANGES.values()):
        resend = await in_state(resends, state, trade_id=trade_id)
        rows = len(await audit.newest(GUILD, limit=1_000))

        changed = await change(resends, resend)

        rows_after = len(await audit.newest(GUILD, limit=1_000))
        if changed is None:
            assert await resends.get(GUILD, resend.id) == resend
            assert rows_after == rows
        else:
            reached.add(changed.state)
            assert rows_after == rows + 1

    assert reached == TRANSITIONS[state]


async def test_no_such_request(resends: ResendRepository, audit: AuditRepository) -> None:
    """A change of an unknown request does nothing."""
    unknown = replace(draft(), id=41)

    for change in CHANGES.values():
        assert await change(resends, unknown) is None
    assert await audit.newest(GUILD, limit=10) == []
