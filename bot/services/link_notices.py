"""Tells former holders of Steam accounts in the background: no command waits for a direct message."""

import asyncio
import logging

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
    _running: set[asyncio.Task[None]] = attrs.field(init=False, factory=set)

    def begin(self, changed: Link) -> None:
        """Begin to tell the former holders that a change concerns."""
        for hand_over in changed.hand_overs:
            if len(self._running) >= _AT_ONCE:
                _log.warning("former holder not told guild=%s user=%s", hand_over.guild_id, hand_over.user_id)
                continue
            task = asyncio.create_task(self._tell(hand_over))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def close(self, *, within: float) -> None:
        """Give running messages ``within`` seconds and cancel the rest."""
        if self._running:
            await asyncio.wait(self._running, timeout=within)
        for task in (late := tuple(self._running)):
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _tell(self, hand_over: HandOver) -> None:
        try:
            async with asyncio.timeout(_SENT_WITHIN):
                await self._messages.tell(hand_over)
        except Exception as error:  # noqa: BLE001 -- the link is changed, and no caller waits for this
            name = type(error).__name__
            _log.warning("former holder not told guild=%s user=%s %s", hand_over.guild_id, hand_over.user_id, name)
