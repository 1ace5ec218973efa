"""The direction of a trade, and whether it can be resent."""

from __future__ import annotations

import pytest

from bot.domain.steam import SteamId
from bot.domain.trades import WINDOW, Direction, KeyLimit, NotResendableReason, TradeList, UnreadRow
from tests.domain.builders import BOT, OWNER, trade

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


THIRD = SteamId.from_account_id(3)


@pytest.mark.parametrize(
    ("owners", "key_owner", "asked_alone", "about", "limit"),
    [
        ([OWNER], OWNER, None, BOT, KeyLimit(OWNER)),
        ([OWNER, OWNER], OWNER, None, None, KeyLimit(OWNER)),
        ([], OWNER, None, BOT, KeyLimit(OWNER)),
        ([OWNER], None, None, BOT, KeyLimit(OWNER)),
        ([], None, None, BOT, KeyLimit(None)),
        ([OWNER], OWNER, BOT, BOT, KeyLimit(OWNER)),  # the path of its own was ignored
        ([], OWNER, None, OWNER, None),
        ([OWNER], None, None, OWNER, None),
        ([THIRD], OWNER, None, BOT, None),
        ([THIRD, OWNER], None, None, BOT, None),
        ([THIRD], OWNER, None, None, None),
        ([], OWNER, BOT, BOT, None),
        ([BOT], OWNER, BOT, BOT, None),
    ],
)
def test_what_the_key_sees(owners, key_owner, asked_alone, about, limit):
    """If all trades listed are one account's, nothing is known of others; otherwise the key is an administrator's."""
    listed = TradeList(tuple(trade(owner=owner) for owner in owners), key_owner, asked_alone)

    assert listed.limit_for(about) == limit


def test_full_list():
    """Rows that could not be read count towards the window of 500."""
    assert TradeList((trade(),) * (WINDOW - 1), unread=(UnreadRow("content.trades[7]"),)).is_full
    assert not TradeList((trade(),) * (WINDOW - 1)).is_full
