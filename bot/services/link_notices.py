"""What follows a changed link, in the background: former holders are told, and cards show how fresh it is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import attrs

from bot.domain.links import HandOver, Link
from bot.ports import LinkMessages

_log = logging.getLogger(__name__)

_SENT_WITHIN = 60.0
"""Seconds for one message, however long Discord limits them."""

_AT_ONCE = 100


@attrs.define(kw_only=True, eq=False)
class LinkNotices:
    """Tells whoever loses a Steam account by a change, whoever made it, so that a theft is noticed."""

    _messages: LinkMessages
    _show_on_cards: Callable[[Link], Awaitable[None]]
    _running: set[asyncio.Task[None]] = attrs.field(init=False, factory=set)
    _telling: set[asyncio.Task[None]] = attrs.field(init=False, factory=set)

    def begin(self, changed: Link) -> None:
        """Begin to show a change on cards, and to tell the former holders that it concerns."""
        self._start(self._show(changed))
        for hand_over in changed.hand_overs:
            if len(self._telling) >= _AT_ONCE:
                _log.warning("former holder not told guild=%s user=%s", hand_over.guild_id, hand_over.user_id)
                continue
            telling = self._start(self._tell(hand_over))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def close(self, *, within: float) -> None:
        """Give running messages ``within`` seconds and cancel the rest."""
        if self._running:
            await asyncio.wait(self._running, timeout=within)
        for task in (late := tuple(self._running)):
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _show(self, changed: Link) -> None:
        try:
            await self._show_on_cards(changed)
        except Exception as error:  # noqa: BLE001 -- the link is changed; the cards' next edit shows it
            _log.warning("link not shown on cards guild=%s %s", changed.guild_id, type(error).__name__)

    async def _tell(self, hand_over: HandOver) -> None:
        try:
            async with asyncio.timeout(_SENT_WITHIN):
                await self._messages.tell(hand_over)
        except Exception as error:  # noqa: BLE001 -- the link is changed, and no caller waits for this
            name = type(error).__name__
            _log.warning("former holder not told guild=%s user=%s %s", hand_over.guild_id, hand_over.user_id, name)
