"""An answer is stored without what may not be stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.failures import ProviderName
from bot.domain.snapshots import TradesAnswer
from bot.domain.trades import Scope
from tests.domain.builders import NOW, OWNER, trade


def answer(*codes: object) -> TradesAnswer:
    trades = tuple(trade(id=number, code=code) for number, code in enumerate(codes, start=1))
    return TradesAnswer(ProviderName.MANNCO, Scope.ALL, OWNER, OWNER, trades, NOW, window_full=True)


@pytest.mark.parametrize("viewer", [OWNER, None])
def test_without_codes(viewer):
    """What is stored has no trade's code, whoever asked, and everything else as it was."""
    shown = replace(answer(trade().code, None, trade().code), viewer=viewer)
    stored = shown.without_codes()

    assert [trade.code for trade in stored.trades] == [None, None, None]
    assert [replace(trade, code=None) for trade in shown.trades] == list(stored.trades)
    assert replace(shown, trades=()) == replace(stored, trades=())


def test_the_answer_itself_keeps_its_codes():
    """The answer that is being shown is not changed by storing it."""
    shown = answer(trade().code)
    shown.without_codes()

    assert shown.trades[0].code == trade().code


def test_nothing_to_leave_out():
    """An answer without trades or codes stays the same."""
    assert answer().without_codes() == answer()
    assert answer(None).without_codes() == answer(None)
