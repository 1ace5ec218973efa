"""The one process of a SQLite database."""

from typing_extensions import override

from bot.ports.workers import Workers


class OnlyWorker(Workers):
    """Answers every interaction and does all the work: no other process can have the file open."""

    def __init__(self, me: str) -> None:
        self._me = me

    @property
    @override
    def me(self) -> str:
        return self._me

    @override
    async def alive(self) -> frozenset[str]:
        return frozenset({self._me})

    @override
    async def claims(self, interaction_id: int) -> bool:
        return True

    @override
    def leads(self, guild_id: int | None) -> bool:
        return True

    @override
    async def leave(self) -> None:
        pass
