"""The processes of a desk in memory, which start and end as a test says."""

from bot.ports.workers import Workers


class Desk:
    """All processes that are alive, oldest first. The oldest leads even guilds, the newest odd ones."""

    def __init__(self) -> None:
        self._started = 0
        self.alive: list[str] = []

    def start(self, *, instead_of: "FakeWorkers | None" = None) -> "FakeWorkers":
        """Start a process, after the end of another one."""
        if instead_of is not None:
            self.end(instead_of)
        self._started += 1
        self.alive.append(f"worker {self._started}")
        return FakeWorkers(self, self.alive[-1])

    def end(self, workers: "FakeWorkers") -> None:
        """Let the others notice that a process has ended."""
        if workers.me in self.alive:
            self.alive.remove(workers.me)


class FakeWorkers(Workers):
    """What one process knows."""

    def __init__(self, desk: Desk, me: str) -> None:
        self._desk = desk
        self._me = me

    @property
    def me(self) -> str:
        """This process."""
        return self._me

    async def alive(self) -> frozenset[str]:
        """Return the processes that work now."""
        return frozenset(self._desk.alive)

    async def claims(self, interaction_id: int) -> bool:
        """Not needed: tests say which process answers."""
        raise NotImplementedError

    def leads(self, guild_id: int | None) -> bool:
        """Return whether it is the oldest, or for odd guilds the newest, of those alive."""
        alive = self._desk.alive
        return self._me == alive[-((guild_id or 0) % 2)] if alive else False

    async def leave(self) -> None:
        """End for the others."""
        self._desk.end(self)
