"""The direction of a trade, and whether it can be resent."""

from __future__ import annotations

import pytest

from bot.domain.trades import Direction, NotResendableReason
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
    """Items to send make a withdrawal, only items to receive a deposit."""
    assert trade(items_send=items_send, items_received=items_received).direction is direction


@pytest.mark.parametrize("status", SEEN)
def test_status(status):
    """A withdrawal can be resent in the statuses of seed 004 only."""
    expected = None if status in RESENDABLE else NotResendableReason.STATUS

    assert trade(status=status).not_resendable == expected


@pytest.mark.parametrize("status", RESENDABLE)
def test_nothing_to_send(status):
    """A failed deposit cannot be resent."""
    deposit = trade(status=status, items_send=(), items_received=("1",))

    assert deposit.not_resendable is NotResendableReason.NOTHING_TO_SEND


def test_code_does_not_print():
    """The repr of a trade does not contain its code."""
    assert "ABCDEFGH" not in repr(trade())
