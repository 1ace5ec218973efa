"""The interface of provider limits that several processes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import timedelta

EVERYONE = b""
CUSTOMERS = b"customers"
"""Scopes of a pause, beside the digest of an account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A call that shall be made now. ``window``, ``customer`` and ``account`` are digests."""

    window: bytes
    per: timedelta
    """The length of the window."""
    within: timedelta
    """The longest that the call can last."""
    limit: int
    """How many calls the window may hold with this one."""
    is_staff: bool = True
    customer: bytes | None = None
    customer_limit: int = 0
    """How many calls of the customer it may hold."""
    account: bytes | None = None


@dataclass(frozen=True, slots=True)
class CallDecision:
    """Whether the call may be made: its number if it was counted, and how long it has to wait otherwise."""

    call: int | None
    wait: timedelta
    held: int
    """How many other calls the window holds."""
    customers_paused: bool


class SharedWindows(Protocol):
    """The calls of all processes by window, on one clock. DatabaseUnavailable if they cannot be counted."""

    async def take(self, request: CallRequest) -> CallDecision:
        """Count a call, or refuse it. It counts from now until the length of its window after its end."""

    async def preview(self, request: CallRequest) -> CallDecision:
        """Return what :meth:`take` would decide, without counting."""

    def end(self, call: int, per: timedelta) -> None:
        """Store in the background that a call has ended just now."""

    async def pause(self, window: bytes, scope: bytes, wait: timedelta) -> None:
        """Refuse the calls of a scope for ``wait``, if they are not refused for longer."""

    async def resume(self, window: bytes, scope: bytes) -> None:
        """End the pause of a scope."""
