"""The one process of a SQLite database."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta

from typing_extensions import override

from bot.domain.shards import ShardGroup
from bot.ports.workers import HOUSEKEEPING, Workers, duty_of


class OnlyWorker(Workers):
    """Answers every interaction and does all the work: no other process can have the file open."""

    def __init__(self, me: str, group: ShardGroup | None = None) -> None:
        self._me = me
        self._group = group

    @property
    @override
    def me(self) -> str:
        return self._me

    @property
    @override
    def is_alone(self) -> bool:
        return True

    @property
    @override
    def lease(self) -> int | None:
        return 1

    @property
    @override
    def offset(self) -> timedelta:
        return timedelta()

    @property
    @override
    def duties(self) -> Mapping[str, bool]:
        return dict.fromkeys((duty_of(self._group), HOUSEKEEPING), True)

    @override
    def leads(self, guild_id: int | None) -> bool:
        return True

    @override
    async def alive(self) -> frozenset[str]:
        return frozenset({self._me})

    @override
    async def join(self, *, receives: Callable[[], bool]) -> None:
        pass

    @override
    async def changed(self) -> None:
        await asyncio.Event().wait()

    @override
    async def claims(self, interaction_id: int, guild_id: int | None) -> bool:
        return True

    @override
    def finished(self, interaction_id: int) -> None:
        pass

    @override
    async def leave(self) -> None:
        pass
