"""Limits how often one member does what costs others something: rows of the audit log, or calls."""

from datetime import timedelta

from cachetools import TTLCache

from bot.domain.errors import TooOften
from bot.ports import Clock

_MAX_MEMBERS = 10_000


class PersonLimit:
    """At most ``uses`` by one member of a guild in any period of ``within``. In memory: a restart begins again."""

    def __init__(self, uses: int, within: timedelta, clock: Clock) -> None:
        self._uses = uses
        self._within = within.total_seconds()
        self._clock = clock
        self._used: TTLCache[tuple[int, int], tuple[float, ...], float] = TTLCache(
            _MAX_MEMBERS, self._within, clock.monotonic
        )

    def use(self, guild_id: int, user_id: int) -> None:
        """Count a use; TooOften, without counting it, if there were too many."""
        now = self._clock.monotonic()
        used = [at for at in self._used.get((guild_id, user_id), ()) if at + self._within > now]
        if len(used) >= self._uses:
            raise TooOften(self._clock.now() + timedelta(seconds=used[0] + self._within - now))
        self._used[guild_id, user_id] = (*used, now)
