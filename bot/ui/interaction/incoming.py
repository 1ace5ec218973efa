"""Stands before discord.py's parsers: each interaction is handled once, and an event that cannot be read is skipped."""

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from time import monotonic
from typing import Any

import discord
from cachetools import TTLCache

from bot.domain.errors import DatabaseUnavailable
from bot.ports.workers import Workers

_log = logging.getLogger(__name__)

_REMEMBERED_FOR = 15 * 60.0
"""Seconds in which an interaction can be answered; one that comes again later can do no harm."""

_MAX_REMEMBERED = 20_000

_BEGINS_WITHIN = 0.01
"""Seconds in which the tasks that discord.py makes for an interaction begin: a few turns of the event loop."""

_OF_ROLES = frozenset({"GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE"})

_NEEDED = frozenset({"READY", "RESUMED"})
"""Without these there is no connection: an error ends the process."""


class IncomingEvents:
    """Checks the gateway's events of one client.

    ``skipped`` counts those that could not be read, by name. ``incomplete`` are guilds of which a role could not be
    read: a role that is not known there may exist. ``unclaimed`` are the interactions of which it could not be found
    out whether another process answers them: nothing may be done for them.
    """

    def __init__(self, client: discord.Client, workers: Workers, *, timer: Callable[[], float] = monotonic) -> None:
        self.skipped: Counter[str] = Counter()
        self.incomplete: set[int] = set()
        self.unclaimed: TTLCache[int, DatabaseUnavailable, float] = TTLCache(_MAX_REMEMBERED, _REMEMBERED_FOR, timer)
        self._workers = workers
        self._claiming: set[asyncio.Task[None]] = set()
        # discord.py has no public hook before its parsers, whose errors end the process.
        self._state = client._connection  # noqa: SLF001 -- see above
        self._seen: TTLCache[str, bool, float] = TTLCache(_MAX_REMEMBERED, _REMEMBERED_FOR, timer)
        for event, parse in self._state.parsers.items():
            if event not in _NEEDED:
                self._state.parsers[event] = partial(self._receive, event, parse)
        self._state.parsers["READY"] = partial(self._begin_session, self._state.parsers["READY"])

    def _begin_session(self, parse: Callable[[Any], None], data: Any) -> None:
        """Drop the guilds of a shard that it is not in any more; discord.py keeps them if there may be more shards."""
        joined = {int(guild["id"]) for guild in data["guilds"]}
        for guild in list(self._state.guilds):
            if guild.shard_id == data["shard"][0] and guild.id not in joined:
                self._state._remove_guild(guild)  # noqa: SLF001 -- as above
        parse(data)

    def _receive(self, event: str, parse: Callable[[Any], None], data: Any) -> None:
        try:
            if event != "INTERACTION_CREATE":
                parse(data)
            elif self._is_new(data):
                self._claim(parse, data)
        except Exception as error:  # noqa: BLE001 -- the others go on
            self._skip(event, error)
            if event == "GUILD_CREATE":
                self._read_in_part(parse, data)
            elif event in _OF_ROLES:
                self.incomplete.update(self._concerned(data))
        else:
            if event == "GUILD_CREATE":
                self.incomplete.discard(int(data["id"]))

    async def claimed(self, *, within: float) -> None:
        """Wait ``within`` seconds until all interactions so far are handled here or by another process."""
        if self._claiming:
            await asyncio.wait(self._claiming, timeout=within)
            await asyncio.sleep(_BEGINS_WITHIN)

    def _claim(self, parse: Callable[[Any], None], data: Any) -> None:
        """Handle an interaction, unless another process does."""
        if self._workers.is_alone:
            parse(data)
            return
        task = asyncio.create_task(self._parse_if_claimed(parse, data), name="claim an interaction")
        self._claiming.add(task)
        task.add_done_callback(self._claiming.discard)

    async def _parse_if_claimed(self, parse: Callable[[Any], None], data: Any) -> None:
        try:
            number, guild_id = int(data["id"]), data.get("guild_id")
            try:
                if not await self._workers.claims(number, None if guild_id is None else int(guild_id)):
                    _log.debug("interaction left to another process id=%s", number)
                    return
            except DatabaseUnavailable as error:
                if data["type"] == discord.InteractionType.autocomplete.value:  # it has no place for an error
                    return
                self.unclaimed[number] = error
            parse(data)
        except Exception as error:  # noqa: BLE001 -- as in _receive
            self._skip("INTERACTION_CREATE", error)

    def _concerned(self, data: Any) -> Iterable[int]:
        """Return the guild that an unreadable event is about; all of them if even that cannot be read."""
        try:
            return [int(data["guild_id"])]
        except (KeyError, TypeError, ValueError):
            return [guild.id for guild in self._state.guilds]

    def _is_new(self, data: Mapping[str, Any]) -> bool:
        """Return whether an interaction has not come before. Discord may deliver one twice, after a resumption too."""
        if not any(isinstance(data.get(sender), Mapping) for sender in ("member", "user")):
            raise KeyError("user")
        number = str(data["id"])
        if number in self._seen:
            _log.info("interaction came again id=%s", number)
            return False
        self._seen[number] = True
        return True

    def _read_in_part(self, parse: Callable[[Any], None], data: Any) -> None:
        """Read a guild without the channels, roles and other parts that discord.py cannot read."""
        try:
            bare = {key: value for key, value in data.items() if not isinstance(value, list)}
            readable = {
                key: [part for part in value if self._can_read({**bare, key: [part]})]
                for key, value in data.items()
                if isinstance(value, list)
            }
            parse(bare | readable)
        except Exception as error:  # noqa: BLE001 -- SkinDesk says that it does not see this server
            _log.warning("guild not read error=%s", type(error).__name__)
            return
        left_out = {key: len(data[key]) - len(parts) for key, parts in readable.items() if len(parts) < len(data[key])}
        (self.incomplete.add if "roles" in left_out else self.incomplete.discard)(int(bare["id"]))
        _log.warning("guild read in part guild=%s left_out=%s", bare["id"], left_out)

    def _can_read(self, data: Any) -> bool:
        try:
            discord.Guild(data=data, state=self._state)
        except Exception:  # noqa: BLE001 -- whatever it is, this part stays out
            return False
        return True

    def _skip(self, event: str, error: Exception) -> None:
        """Count and log an event; not its content, nor the error's text, which may quote it."""
        self.skipped[event] += 1
        count = self.skipped[event]
        if str(count).rstrip("0") == "1":  # the first, the tenth, the hundredth
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place.name}:{place.lineno}"
            _log.warning(
                "gateway event skipped event=%s error=%s at=%s count=%s", event, type(error).__name__, where, count
            )
