"""All processes of a desk go by one clock."""

from datetime import timedelta

from typing_extensions import override

from bot.storage.only_worker import OnlyWorker
from bot.system_clock import SharedClock
from tests.fakes.clock import FakeClock


class Behind(OnlyWorker):
    """A process on a machine whose clock is behind the server's."""

    def __init__(self, by: timedelta) -> None:
        super().__init__("worker")
        self._by = by

    @property
    @override
    def offset(self) -> timedelta:
        return self._by


def test_machines_with_different_clocks():
    """What is stored and shown is by the server's clock; periods within a process are by its own."""
    right, slow = FakeClock(), FakeClock()
    slow.advance(hours=-1)

    shared = [SharedClock(right, Behind(timedelta())), SharedClock(slow, Behind(timedelta(hours=1)))]

    assert shared[0].now() == shared[1].now() == right.now()
    assert [each.monotonic() for each in shared] == [right.monotonic(), slow.monotonic()]
