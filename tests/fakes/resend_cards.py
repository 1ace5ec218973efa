"""Approval cards in memory."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.resends import CardEdit, PostedCard, Resend, TradeFacts
from bot.domain.secrets import TradeCode


@dataclass(frozen=True, slots=True)
class Message:
    """A message to a user: the request, and the code if they got it."""

    user_id: int
    resend: Resend
    code: TradeCode | None


class FakeResendCards:
    """``shown`` has the request on each card, ``facts`` all facts ever shown, by request and version.

    ``edits`` and ``posts``: Discord takes them, refuses them, takes them and the answer is lost, limits them, answers
    too late, or never. ``gone`` are deleted messages, ``on_cards`` what every message in the channel shows,
    ``mentioned`` the roles that posts mentioned. Like Discord it takes a post with the same nonce once.
    """

    def __init__(self) -> None:
        self.shown: dict[int, Resend] = {}
        self.messages: list[Message] = []
        self.posted: Counter[int] = Counter()
        self.facts: dict[tuple[int, int], TradeFacts] = {}
        self.edits: Literal["taken", "refused", "lost", "limited", "late", "hang"] = "taken"
        self.posts: Literal["taken", "refused", "lost"] = "taken"
        self.tells: Literal["taken", "refused", "late"] = "taken"
        self.gone: set[int | None] = set()
        self.mentioned: defaultdict[int, list[int]] = defaultdict(list)
        self.unreachable: set[int] = set()
        self.post_fails_with: BaseException | None = None
        self.on_cards: dict[int, Resend] = {}
        self._nonces: dict[tuple[int, int | None, datetime], int] = {}

    async def post(self, resend: Resend, *, channel_id: int, mention: int | None = None) -> PostedCard:
        """Post the card, or fail with ``post_fails_with``."""
        await asyncio.sleep(0)
        if self.post_fails_with is not None:
            raise self.post_fails_with
        if self.posts == "refused":
            raise OSError
        nonce = (resend.id, resend.message_id, resend.requested_at)
        message_id = self._nonces.get(nonce)
        is_new = message_id is None or message_id in self.gone
        if message_id is None or is_new:
            self.posted[resend.id] += 1
            message_id = self._nonces[nonce] = 7_000 * self.posted[resend.id] + resend.id
            self._show(message_id, resend)
            if mention is not None:
                self.mentioned[resend.id].append(mention)
        if self.posts == "lost":
            raise OSError
        on_card = self.on_cards[message_id]
        return PostedCard(message_id, is_current=(on_card.state, on_card.version) == (resend.state, resend.version))

    async def update(self, resend: Resend) -> CardEdit:
        """Edit the card."""
        await asyncio.sleep(0)
        if self.edits == "hang":
            await asyncio.Event().wait()
        if self.edits == "late":
            raise TimeoutError
        if resend.message_id in self.gone:
            return CardEdit.GONE
        if self.edits == "limited":
            return CardEdit.LIMITED
        if resend.message_id is None or self.edits == "refused":
            return CardEdit.DOUBTFUL
        self._show(resend.message_id, resend)
        return CardEdit.SHOWN if self.edits == "taken" else CardEdit.DOUBTFUL

    async def is_there(self, resend: Resend) -> bool:
        """Return whether the card was not deleted."""
        await asyncio.sleep(0)
        return resend.message_id not in self.gone

    async def remove(self, resend: Resend) -> None:
        """Delete the card."""
        await asyncio.sleep(0)
        self.gone.add(resend.message_id)

    async def tell(self, resend: Resend, user_id: int, *, code: TradeCode | None = None) -> bool:
        """Send a message, unless the user is unreachable."""
        await asyncio.sleep(0)
        if self.tells == "late":
            raise TimeoutError
        if user_id in self.unreachable or self.tells == "refused":
            return False
        self.messages.append(Message(user_id, resend, code))
        return True

    def version_of(self, resend_id: int) -> int | None:
        """Return the version on the card."""
        shown = self.shown.get(resend_id)
        return None if shown is None else shown.version

    def cards_of(self, resend_id: int) -> list[int]:
        """Return the messages that show the request."""
        return [number for number, shown in self.on_cards.items() if shown.id == resend_id and number not in self.gone]

    def _show(self, message_id: int, resend: Resend) -> None:
        self.on_cards[message_id] = self.shown[resend.id] = resend
        self.facts[resend.id, resend.version] = resend.facts

    def evict(self, guild_id: int, user_id: int) -> None:
        """Do nothing: no interaction is stored."""

    def states_for(self, user_id: int) -> list[str]:
        """Return the states in a user's messages, in order."""
        return [message.resend.state.value for message in self.messages if message.user_id == user_id]
