"""Which way a trade goes, and whether it can be sent again."""

from __future__ import annotations

import pytest

from bot.domain.trades import RESENDABLE_STATUSES, Direction, NotResendableReason
from tests.domain.builders import trade

RESENDABLE = (-1, 4, 5, 6, 7, 10)
SEEN = range(-12, 13)


@pytest.mark.parametrize(
    ("items_send", "items_received", "direction"),
    [
        (("1",), (), Direction.WITHDRAWAL),
        ((), ("1", "2"), Direction.DEPOSIT),
        ((), (), Direction.NOTHING),
        (("1",), ("2",), Direction.WITHDRAWAL),
    ],
)
def test_direction(items_send, items_received, direction):
    """Items to send make a withdrawal, items to receive alone a deposit."""
    assert trade(items_send=items_send, items_received=items_received).direction is direction


def test_resendable_statuses():
    """The statuses are those of seed 004."""
    assert set(RESENDABLE) == RESENDABLE_STATUSES


@pytest.mark.parametrize("status", SEEN)
def test_status(status):
    """A withdrawal can be sent again in exactly these statuses; an undocumented one is a no."""
    expected = None if status in RESENDABLE else NotResendableReason.STATUS

    assert trade(status=status).not_resendable == expected


@pytest.mark.parametrize("status", RESENDABLE)
def test_nothing_to_send(status):
    """A failed deposit cannot be sent again: there is nothing to send."""
    deposit = trade(status=status, items_send=(), items_received=("1",))

    assert deposit.not_resendable is NotResendableReason.NOTHING_TO_SEND


def test_both_conditions_fail():
    """The status is named first."""
    assert trade(status=3, items_send=()).not_resendable is NotResendableReason.STATUS


def test_code_does_not_print():
    """A trade in a log line does not show its code."""
    assert "ABCDEFGH" not in repr(trade())
