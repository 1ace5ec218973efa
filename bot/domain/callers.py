"""On whose behalf a provider is asked, so that nobody spends what belongs to all."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who causes calls. ``user_id`` is None for SkinDesk's own work, which counts as the staff's."""

    user_id: int | None = None
    is_staff: bool = True


SKINDESK = Caller()

_spender: ContextVar[Caller | None] = ContextVar("spender", default=None)


@contextmanager
def on_behalf_of(caller: Caller) -> Iterator[None]:
    """Make every call inside on behalf of ``spender``.

    A context variable, because who asks crosses every adapter and concerns none of them but the one that counts.
    """
    token = _spender.set(caller)
    try:
        yield
    finally:
        _spender.reset(token)


def current_caller() -> Caller:
    """Return on whose behalf a call is made now."""
    return _spender.get() or SKINDESK
