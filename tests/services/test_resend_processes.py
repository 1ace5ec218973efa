"""Two processes on one PostgreSQL database, killed in turns: the promises of one process hold."""

from pathlib import Path

from hypothesis import settings
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from typing_extensions import override

from tests.contracts.engines import Repositories, two_processes
from tests.services.test_resend_machine import Machine


class TwoProcesses(Machine):
    """Clicks reach either process; one takes over from the other."""

    @override
    async def _stores(self, folder: Path) -> list[Repositories]:
        return await self._stack.enter_async_context(two_processes())

    @precondition(lambda self: len(self._alive) > 1)
    @rule()
    def turn(self) -> None:
        """Let the other process get the next clicks."""
        self._alive.append(self._alive.pop(0))

    @precondition(lambda self: self._dead)
    @rule()
    def start_another(self) -> None:
        """Start a process beside the one that took over."""
        process = self._dead.pop(0)
        self._runner.run(process.start())
        self._alive.append(process)

    @precondition(lambda self: len(self._alive) > 1)
    @rule()
    def hang(self) -> None:
        """Let a process hang until the other one has taken over from it, and come to life again."""
        hung, other = self._alive
        hung.desk.end(hung.workers)
        self._runner.run(other.tick())
        self._runner.run(other.refresh())
        hung.desk.alive.append(hung.workers.me)
        self._tick()


def test_any_order_of_events() -> None:
    """The promises hold after every step."""
    run_state_machine_as_test(TwoProcesses, settings=settings(max_examples=15, stateful_step_count=25))
