"""Approval cards in memory, as people see them."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from bot.domain.resends import Resend
from bot.domain.secrets import TradeCode


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody was told: how the request stands, and the code if it came with it."""

    user_id: int
    resend: Resend
    code: TradeCode | None


class FakeResendCards:
    """``shown`` is what each card shows now, by request; ``told`` what was said to whom, in order.

    ``is_stuck`` leaves cards as they are, as a Discord that is away does; ``gone`` are messages that somebody deleted.
    """

    def __init__(self) -> None:
        self.shown: dict[int, Resend] = {}
        self.told: list[Told] = []
        self.posted: Counter[int] = Counter()
        self.is_stuck = False
        self.gone: set[int | None] = set()
        self.unreachable: set[int] = set()
        self.post_fails_with: BaseException | None = None

    async def post(self, resend: Resend, *, channel_id: int) -> int:
        """Post the card, or fail as told to."""
        await asyncio.sleep(0)
        if self.post_fails_with is not None:
            raise self.post_fails_with
        self.posted[resend.id] += 1
        self.shown[resend.id] = resend
        return 7_000 * self.posted[resend.id] + resend.id

    async def update(self, resend: Resend) -> bool:
        """Show the request as it is now, where its card is known; False where somebody deleted it."""
        await asyncio.sleep(0)
        if resend.message_id in self.gone:
            return False
        if resend.message_id is not None and not self.is_stuck:
            self.shown[resend.id] = resend
        return True

    async def remove(self, resend: Resend) -> None:
        """Delete the card."""
        await asyncio.sleep(0)
        self.gone.add(resend.message_id)

    async def tell(self, resend: Resend, user_id: int, *, code: TradeCode | None = None) -> bool:
        """Tell somebody, unless they take no messages."""
        await asyncio.sleep(0)
        if user_id in self.unreachable:
            return False
        self.told.append(Told(user_id, resend, code))
        return True

    def told_to(self, user_id: int) -> list[str]:
        """Return the states that somebody was told of, in order."""
        return [told.resend.state.value for told in self.told if told.user_id == user_id]
