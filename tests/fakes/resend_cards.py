"""Approval cards in memory, as people see them."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from bot.domain.resends import CardEdit, Resend, TradeFacts
from bot.domain.secrets import TradeCode


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody was told: how the request stands, and the code if it came with it."""

    user_id: int
    resend: Resend
    code: TradeCode | None


class FakeResendCards:
    """``shown`` is what each card shows now, by request; ``told`` what was said to whom, in order.

    ``edits`` is what becomes of edits: taken, or refused, or taken with their answer lost. ``gone`` are messages that
    somebody deleted. ``facts`` are those that ever were on a card, by request and version.
    """

    def __init__(self) -> None:
        self.shown: dict[int, Resend] = {}
        self.told: list[Told] = []
        self.posted: Counter[int] = Counter()
        self.facts: dict[tuple[int, int], TradeFacts] = {}
        self.edits: Literal["taken", "refused", "lost"] = "taken"
        self.gone: set[int | None] = set()
        self.unreachable: set[int] = set()
        self.post_fails_with: BaseException | None = None

    async def post(self, resend: Resend, *, channel_id: int) -> int:
        """Post the card, or fail as told to."""
        await asyncio.sleep(0)
        if self.post_fails_with is not None:
            raise self.post_fails_with
        self.posted[resend.id] += 1
        self._show(resend)
        return 7_000 * self.posted[resend.id] + resend.id

    async def update(self, resend: Resend) -> CardEdit:
        """Show the request as it is now, where its card is known and Discord takes the edit."""
        await asyncio.sleep(0)
        if resend.message_id in self.gone:
            return CardEdit.GONE
        if resend.message_id is None or self.edits == "refused":
            return CardEdit.DOUBTFUL
        self._show(resend)
        return CardEdit.SHOWN if self.edits == "taken" else CardEdit.DOUBTFUL

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

    def version_of(self, resend_id: int) -> int | None:
        """Return which version somebody sees who looks at the card now."""
        shown = self.shown.get(resend_id)
        return None if shown is None else shown.version

    def _show(self, resend: Resend) -> None:
        self.shown[resend.id] = resend
        self.facts[resend.id, resend.version] = resend.facts

    def forget(self, guild_id: int, user_id: int) -> None:
        """Forget whom it could follow up: it follows nobody up."""

    def told_to(self, user_id: int) -> list[str]:
        """Return the states that somebody was told of, in order."""
        return [told.resend.state.value for told in self.told if told.user_id == user_id]
