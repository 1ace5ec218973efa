"""Each ResendRepository makes the transitions of the domain and no other."""

import tempfile
from asyncio import Runner
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from bot.domain.audit import AuditAction
from bot.domain.failures import ProviderName
from bot.domain.resends import TRANSITIONS, Outcome, Resend, ResendState, Settlement
from bot.ports import AuditRepository, ResendRepository
from tests.contracts.engines import ENGINES, Repositories
from tests.contracts.samples import (
    ADA,
    ADAS_ACCOUNT,
    BEN,
    CHANNEL,
    CLEO,
    FACTS,
    GUILD,
    LATER,
    MESSAGE,
    NOW,
    OTHER_GUILD,
    draft,
    in_state,
)

_T = TypeVar("_T")

Change = Callable[[ResendRepository, Resend], Awaitable[Resend | None]]

CHANGES: dict[str, Change] = {
    "approve": lambda repository, resend: repository.approve(
        resend.guild_id, resend.id, version=resend.version, by=BEN, at=LATER
    ),
    "begin_sending": lambda repository, resend: repository.begin_sending(resend.guild_id, resend.id, at=LATER),
    "return": lambda repository, resend: repository.return_to_pending(
        resend.guild_id, resend.id, note="restarted", at=LATER
    ),
    "deny": lambda repository, resend: repository.deny(resend.guild_id, resend.id, by=BEN, reason="no", at=LATER),
    "expire": lambda repository, resend: repository.expire(resend.guild_id, resend.id, at=LATER),
    "cancel": lambda repository, resend: repository.cancel(
        resend.guild_id, resend.id, at=LATER, reason="card_not_posted"
    ),
    "mark_unknown": lambda repository, resend: repository.mark_unknown(
        resend.guild_id, resend.id, outcome=Outcome.INTERRUPTED, detail=None, settle_after=NOW, at=LATER
    ),
    "sent": lambda repository, resend: repository.settle(
        resend.guild_id, resend.id, Settlement(sent=True, outcome=Outcome.READ_BACK), at=LATER
    ),
    "failed": lambda repository, resend: repository.settle(
        resend.guild_id, resend.id, Settlement(sent=False, outcome=Outcome.MARKED, by=CLEO), at=LATER
    ),
}

TARGETS = {
    "approve": ResendState.APPROVED,
    "begin_sending": ResendState.SENDING,
    "return": ResendState.PENDING,
    "deny": ResendState.DENIED,
    "expire": ResendState.EXPIRED,
    "cancel": ResendState.CANCELLED,
    "mark_unknown": ResendState.UNKNOWN,
    "sent": ResendState.SENT,
    "failed": ResendState.FAILED,
}


OUTCOMES: dict[str, tuple[ResendState, dict[str, Any], AuditAction, int | None, dict[str, str]]] = {
    "approve": (
        ResendState.PENDING,
        {"decided_by": BEN, "decided_at": LATER},
        AuditAction.RESEND_APPROVED,
        BEN,
        {"version": "1"},
    ),
    "begin_sending": (ResendState.APPROVED, {"sent_at": LATER}, AuditAction.RESEND_SENDING, None, {}),
    "return": (
        ResendState.APPROVED,
        {"decided_by": None, "decided_at": None, "version": 2, "notes": ("restarted",)},
        AuditAction.RESEND_RETURNED,
        None,
        {},
    ),
    "deny": (
        ResendState.PENDING,
        {"decided_by": BEN, "decided_at": LATER, "decision_reason": "no", "settled_at": LATER},
        AuditAction.RESEND_DENIED,
        BEN,
        {},
    ),
    "expire": (ResendState.PENDING, {"settled_at": LATER}, AuditAction.RESEND_EXPIRED, None, {}),
    "cancel": (
        ResendState.PENDING,
        {"decision_reason": "card_not_posted", "settled_at": LATER},
        AuditAction.RESEND_CANCELLED,
        None,
        {"reason": "card_not_posted"},
    ),
    "mark_unknown": (
        ResendState.SENDING,
        {"outcome": Outcome.INTERRUPTED, "settle_after": NOW},
        AuditAction.RESEND_UNKNOWN,
        None,
        {"outcome": "interrupted"},
    ),
    "sent": (
        ResendState.UNKNOWN,
        {"outcome": Outcome.READ_BACK, "outcome_detail": None, "settled_at": LATER, "settle_after": None},
        AuditAction.RESEND_SENT,
        None,
        {"outcome": "read_back"},
    ),
    "failed": (
        ResendState.SENDING,
        {"outcome": Outcome.MARKED, "settled_at": LATER, "settled_by": CLEO},
        AuditAction.RESEND_FAILED,
        CLEO,
        {"outcome": "marked"},
    ),
}
"""The state before a change, the changed fields, and the action, actor and own details of its audit row."""


@pytest.mark.parametrize("name", CHANGES)
async def test_change(resends: ResendRepository, audit: AuditRepository, name: str) -> None:
    """A change sets its fields and no other, and returns its audit row."""
    state, fields, action, actor_id, detail = OUTCOMES[name]
    before = await in_state(resends, state)

    changed = await CHANGES[name](resends, before)

    assert changed == replace(before, state=TARGETS[name], **fields)
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


rarely = st.sampled_from([0, 0, 0, 1])


@dataclass(slots=True)
class _Known:
    """A request in the model."""

    trade_id: int
    guild_id: int
    state: ResendState
    version: int
    shown: int | None = None


class _Machine(RuleBasedStateMachine):
    """Runs a repository beside a dictionary and compares them after every step."""

    engine: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self._stack = AsyncExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        self._runner = Runner()
        repositories: Repositories = self._runner.run(
            self._stack.enter_async_context(ENGINES[self.engine](Path(folder)))
        )
        self._resends = repositories.resends
        self._model: dict[int, _Known] = {}

    def teardown(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    @rule(trade_id=st.integers(1, 3), guild_id=st.sampled_from([GUILD, OTHER_GUILD]))
    def open(self, trade_id: int, guild_id: int) -> None:
        taken = any(known.trade_id == trade_id and known.state.is_open for known in self._model.values())

        resend = self._runner.run(self._resends.open(draft(trade_id=trade_id, guild_id=guild_id)))

        assert (resend is None) == taken
        if resend is not None:
            assert resend.id not in self._model
            self._model[resend.id] = _Known(trade_id, guild_id, ResendState.PENDING, 1)

    @rule(data=st.data(), name=st.sampled_from(list(CHANGES)), behind=rarely, elsewhere=rarely)
    def change(self, data: st.DataObject, name: str, behind: int, elsewhere: int) -> None:
        if not self._model:
            return
        number = data.draw(st.sampled_from(sorted(self._model)))
        known = self._model[number]
        target = TARGETS[name]
        possible = target in TRANSITIONS[known.state] and not elsewhere
        if name == "approve":
            possible = possible and not behind and known.shown == known.version

        guild_id = _other(known.guild_id) if elsewhere else known.guild_id
        seen = replace(draft(guild_id=guild_id), id=number, version=known.version - behind)
        changed = self._runner.run(_awaited(CHANGES[name](self._resends, seen)))

        assert (changed is not None) == possible
        if changed is not None:
            known.state = target
            known.version += name == "return"

    @rule(data=st.data(), behind=rarely, elsewhere=rarely)
    def revise(self, data: st.DataObject, behind: int, elsewhere: int) -> None:
        if not self._model:
            return
        number = data.draw(st.sampled_from(sorted(self._model)))
        known = self._model[number]

        guild_id = _other(known.guild_id) if elsewhere else known.guild_id
        revised = self._runner.run(
            self._resends.revise(guild_id, number, FACTS, version=known.version - behind, at=LATER)
        )

        assert (revised is not None) == (known.state is ResendState.PENDING and not behind and not elsewhere)
        known.version += revised is not None

    @rule(data=st.data(), behind=rarely, elsewhere=rarely, is_new=rarely)
    def show(self, data: st.DataObject, behind: int, elsewhere: int, is_new: int) -> None:
        if not self._model:
            return
        number = data.draw(st.sampled_from(sorted(self._model)))
        known = self._model[number]
        one = (_other(known.guild_id) if elsewhere else known.guild_id, number)
        version = known.version - behind

        if is_new or known.shown is None:
            attach = self._resends.attach_card(*one, channel_id=CHANNEL, message_id=MESSAGE, version=version)
            self._runner.run(_awaited(attach))
        else:
            self._runner.run(_awaited(self._resends.card_shows(*one, message_id=MESSAGE, version=version)))

        known.shown = known.shown if elsewhere else version

    @invariant()
    def same(self) -> None:
        for number, known in self._model.items():
            resend = self._runner.run(self._resends.get(known.guild_id, number))
            assert resend is not None
            found = (resend.trade_id, resend.state, resend.version, resend.shown_version)
            assert found == (known.trade_id, known.state, known.version, known.shown)
        open_ones = [number for number, known in sorted(self._model.items()) if known.state.is_open]
        assert [resend.id for resend in self._runner.run(self._resends.all_open())] == open_ones
        for trade_id in (1, 2, 3):
            for guild_id in (GUILD, OTHER_GUILD):
                standing = self._runner.run(self._resends.open_for_trade(guild_id, ProviderName.MANNCO, trade_id))
                of_trade = [number for number in open_ones if self._model[number].trade_id == trade_id]
                known_ids = [number for number in of_trade if self._model[number].guild_id == guild_id]
                assert ([] if standing is None else [standing.id]) == known_ids


def _other(guild_id: int) -> int:
    return OTHER_GUILD if guild_id == GUILD else GUILD


async def _awaited(waiting: Awaitable[_T]) -> _T:
    return await waiting


@pytest.mark.parametrize("name", ENGINES)
def test_any_order_of_changes(name: str) -> None:
    """After any sequence of changes a trade has one open request, and each request its own state."""

    class Machine(_Machine):
        engine = name

    run_state_machine_as_test(
        Machine,
        settings=settings(max_examples=30, stateful_step_count=25),
    )
