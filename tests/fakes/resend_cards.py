"""Approval cards in memory."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from bot.domain.resends import CardEdit, Resend, TradeFacts
from bot.domain.secrets import TradeCode


@dataclass(frozen=True, slots=True)
class Message:
    """A message to a user: the request, and the code if they got it."""

    user_id: int
    resend: Resend
    code: TradeCode | None


class FakeResendCards:
    """``shown`` has the request on each card, ``facts`` all facts ever shown, by request and version.

    ``edits``: Discord takes them, refuses them, or takes them and the answer is lost. ``gone`` are deleted messages.
    """

    def __init__(self) -> None:
        self.shown: dict[int, Resend] = {}
        self.messages: list[Message] = []
        self.posted: Counter[int] = Counter()
        self.facts: dict[tuple[int, int], TradeFacts] = {}
        self.edits: Literal["taken", "refused", "lost"] = "taken"
        self.gone: set[int | None] = set()
        self.unreachable: set[int] = set()
        self.post_fails_with: BaseException | None = None

    async def post(self, resend: Resend, *, channel_id: int) -> int:
        """Post the card, or fail with ``post_fails_with``."""
        await asyncio.sleep(0)
        if self.post_fails_with is not None:
            raise self.post_fails_with
        self.posted[resend.id] += 1
        self._show(resend)
        return 7_000 * self.posted[resend.id] + resend.id

    async def update(self, resend: Resend) -> CardEdit:
        """Edit the card."""
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
        """Send a message, unless the user is unreachable."""
        await asyncio.sleep(0)
        if user_id in self.unreachable:
            return False
        self.messages.append(Message(user_id, resend, code))
        return True

    def version_of(self, resend_id: int) -> int | None:
        """Return the version on the card."""
        shown = self.shown.get(resend_id)
        return None if shown is None else shown.version

    def _show(self, resend: Resend) -> None:
        self.shown[resend.id] = resend
        self.facts[resend.id, resend.version] = resend.facts

    def evict(self, guild_id: int, user_id: int) -> None:
        """Do nothing: no interaction is stored."""

    def states_for(self, user_id: int) -> list[str]:
        """Return the states in a user's messages, in order."""
        return [message.resend.state.value for message in self.messages if message.user_id == user_id]
