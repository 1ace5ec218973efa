"""The processes of a desk in memory, which start and end as a test says."""

from bot.storage.only_worker import OnlyWorker


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


class FakeWorkers(OnlyWorker):
    """What one process knows."""

    def __init__(self, desk: Desk, me: str) -> None:
        super().__init__(me)
        self._desk = desk
        self.lease_number: int | None = 1

    @property
    def lease(self) -> int | None:
        """Return what a test has set."""
        return self.lease_number

    async def alive(self) -> frozenset[str]:
        return frozenset(self._desk.alive)

    def leads(self, guild_id: int | None) -> bool:
        """Return whether it is the oldest, or for odd guilds the newest, of those alive."""
        alive = self._desk.alive
        return self.me == alive[-((guild_id or 0) % 2)] if alive else False

    async def leave(self) -> None:
        self._desk.end(self)
