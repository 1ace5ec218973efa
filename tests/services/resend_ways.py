"""Every way in which the provider can answer a resend, by name."""

from bot.domain.failures import FailureKind
from bot.domain.resends import Receipt
from tests.fakes.trade_provider import (
    FakeTradeProvider,
    Way,
    accepts,
    breaks,
    confuses,
    does_and_loses,
    fails,
    loses,
    refuses,
)


async def answers_for_another(provider: FakeTradeProvider, trade_id: int) -> Receipt:
    """Answer about another trade; nothing is done."""
    return Receipt(trade_id + 1, None)


WAYS: dict[str, Way] = {
    "yes": accepts,
    "no": refuses,
    "403": fails(FailureKind.REFUSED, "Invalid or expired token", 403),
    "never connected": fails(FailureKind.UNREACHABLE),
    "lost before it was done": loses,
    "lost after it was done": does_and_loses,
    "done, and the answer another's": confuses,
    "not done, and the answer another's": answers_for_another,
    "broken": breaks,
}
