"""Errors are named by what the reader can do, and carry facts without secrets."""

from __future__ import annotations

import inspect

import pytest

from bot.domain import errors
from bot.domain.errors import NotResendable, ProviderError, SkinDeskError, TradeUrlRejected
from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.steam import TradeUrlProblem
from bot.domain.trades import NotResendableReason
from tests.domain.builders import trade

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, SkinDeskError)]


@pytest.mark.parametrize("problem", TradeUrlProblem)
def test_trade_url_rejected(problem):
    """A refused trade URL carries the mistake's name and the option, but not the pasted text."""
    rejected = TradeUrlRejected(problem)

    assert vars(rejected) == {"option": "tradeurl", "problem": problem.value, "trade_url_problem": problem}
    assert str(rejected) == f"tradeurl: {problem.value}"


def test_provider_error():
    """The exception's text, which logs print, does not contain the provider's message."""
    failure = Failure(ProviderName.SKINSBACK, FailureKind.REFUSED, code=3, key="invalid_trade_token", message="outside")
    error = ProviderError(failure)

    assert str(error) == "skinsback refused 3"
    assert "outside" not in repr(error)


def test_not_resendable():
    """The exception's text has the trade's number, but not its code or last error."""
    error = NotResendable(trade(status=3, last_error="outside"), NotResendableReason.STATUS)

    assert str(error) == "123456 status"
    assert "ABCDEFGH" not in repr(error)
    assert "outside" not in repr(error)
