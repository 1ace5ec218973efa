"""Shares the slots of one provider's transport fairly between the people who ask.

Own code, because asyncio's semaphore and the libraries around it serve requests in order and know no people.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.access import SKINDESK, Caller, current_caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_CUSTOMER_AT_ONCE, _CUSTOMER_WAITING = 2, 4
"""A person compares two inventories; ``provider:all`` needs one slot at each provider, and pages come in turn."""
_STAFF_AT_ONCE, _STAFF_WAITING = 4, 8
"""An agent works on several customers at a time."""
_KEPT_FROM_CUSTOMERS = 4
"""One slot in four is kept for staff and SkinDesk's own calls."""
_KEPT_FOR_SKINDESK = 8
"""One slot in eight is kept for SkinDesk's own calls: resends, and the readings that settle them."""


class NoSlot(Exception):
    """No slot was free in time, or the caller's own queue is full.

    ``own`` tells that the caller's other calls are the reason, and not those of others.
    """

    def __init__(self, *, own: bool) -> None:
        super().__init__(own)
        self.own = own


@dataclass(slots=True)
class Held:
    """A held slot. For ``cooldown`` seconds after its end the call still counts among its caller's own."""

    cooldown: float = 0.0


class FairSlots:
    """Slots for concurrent calls: few for each person, a share for all customers, and turns between people.

    No caller waits while they may have a slot. SkinDesk's own calls come first; people who wait get a slot in turn,
    whatever the number of their calls.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._for_people = slots - slots // _KEPT_FOR_SKINDESK
        self._for_customers = slots - slots // _KEPT_FROM_CUSTOMERS
        self._own: Counter[Caller] = Counter()
        """By person: the slots they hold, and the calls that cool down."""
        self._all_held = self._held_by_people = self._held_by_customers = 0
        self._waiting: dict[Caller, deque[asyncio.Future[None]]] = {}
        """By person, in the order of their turns. A future is done once its call holds a slot."""

    @property
    def is_full(self) -> bool:
        """Whether every slot is held."""
        return self._all_held >= self._slots

    @asynccontextmanager
    async def hold(self, *, within: float) -> AsyncIterator[Held]:
        """Hold a slot on behalf of the current caller; NoSlot if they get none ``within`` seconds."""
        caller = current_caller()
        if self._may_hold(caller):
            self._take(caller)
        else:
            await self._wait(caller, within)
        held = Held()
        try:
            yield held
        finally:
            self._release(caller, held.cooldown)

    async def _wait(self, caller: Caller, within: float) -> None:
        queue = self._waiting.setdefault(caller, deque())
        if len(queue) >= _most_waiting(caller):
            raise NoSlot(own=True)
        granted = asyncio.get_running_loop().create_future()
        queue.append(granted)
        try:
            async with asyncio.timeout(within):
                await granted
        except BaseException as error:
            own = self._own[caller] >= _most_at_once(caller)
            if granted.done() and not granted.cancelled():  # cancelled in the moment in which it got a slot
                self._release(caller)
            elif granted in queue:
                self._leave(caller, granted)
            if isinstance(error, TimeoutError):
                raise NoSlot(own=own) from None
            raise

    def _take(self, caller: Caller) -> None:
        self._own[caller] += 1
        self._count(caller, 1)

    def _release(self, caller: Caller, cooldown: float = 0.0) -> None:
        """Give a slot back; its caller may have the next one after ``cooldown`` seconds."""
        self._count(caller, -1)
        if cooldown > 0:
            asyncio.get_running_loop().call_later(cooldown, self._end, caller)
            self._pass_on()
        else:
            self._end(caller)

    def _end(self, caller: Caller) -> None:
        self._own[caller] -= 1
        if not self._own[caller]:
            del self._own[caller]
        self._pass_on()

    def _pass_on(self) -> None:
        """Give what is free to those who wait, in turn."""
        while (following := self._next()) is not None:
            queue = self._waiting.pop(following)
            granted = queue.popleft()
            if queue:
                self._waiting[following] = queue  # at the end: all others have their turn first
            if not granted.done():  # otherwise its caller was cancelled, and has not run since
                self._take(following)
                granted.set_result(None)

    def _next(self) -> Caller | None:
        """Return whose turn it is, if anyone who waits may have a slot now."""
        if self.is_full:
            return None
        if SKINDESK in self._waiting:
            return SKINDESK
        return next((caller for caller in self._waiting if self._may_hold(caller)), None)

    def _may_hold(self, caller: Caller) -> bool:
        if self.is_full:
            return False
        if caller.user_id is None:
            return True
        if self._held_by_people >= self._for_people or self._own[caller] >= _most_at_once(caller):
            return False
        return caller.is_staff or self._held_by_customers < self._for_customers

    def _count(self, caller: Caller, change: int) -> None:
        self._all_held += change
        if caller.user_id is not None:
            self._held_by_people += change
            self._held_by_customers += 0 if caller.is_staff else change

    def _leave(self, caller: Caller, waiting: asyncio.Future[None]) -> None:
        queue = self._waiting[caller]
        queue.remove(waiting)
        if not queue:
            del self._waiting[caller]


def _most_at_once(caller: Caller) -> int:
    return _STAFF_AT_ONCE if caller.is_staff else _CUSTOMER_AT_ONCE


def _most_waiting(caller: Caller) -> float:
    if caller.user_id is None:
        return float("inf")
    return _STAFF_WAITING if caller.is_staff else _CUSTOMER_WAITING
