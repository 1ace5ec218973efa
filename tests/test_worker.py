"""Long work is shared fairly between people, and no caller waits for ever."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from bot.domain.errors import Overloaded
from bot.worker import Worker, current_person

HOSTILE, HEALTHY, OTHER = 1, 2, 3


@pytest.fixture
async def gate() -> AsyncIterator[threading.Event]:
    """An event that lets hanging work go on; the test's end sets it."""
    gate = threading.Event()
    yield gate
    gate.set()


def start(worker: Worker, person: int | None, work: Callable[[], object]) -> asyncio.Task[object]:
    """Start ``work`` on behalf of a person."""

    async def run() -> object:
        current_person.set(person)
        return await worker.run(work)

    return asyncio.create_task(run())


async def test_long_job(gate: threading.Event):
    """Others' jobs pass one that takes long; further jobs of the same person do not."""
    worker = Worker(long=0.05)
    hanging, second = (start(worker, HOSTILE, gate.wait) for _ in range(2))
    others = [start(worker, person, lambda: "done") for person in (HEALTHY, OTHER, None)]

    assert await asyncio.gather(*others) == ["done"] * 3
    assert not hanging.done()
    assert not second.done()
    gate.set()
    await asyncio.gather(hanging, second)


async def test_turns(gate: threading.Event):
    """People take turns, however many jobs one of them has, and short jobs run one at a time."""
    worker = Worker(deadline=60.0, long=60.0)
    done: list[tuple[int, int]] = []
    first = start(worker, OTHER, gate.wait)
    jobs = [
        start(worker, person, partial(done.append, (person, n)))
        for person, count in ((HOSTILE, 4), (HEALTHY, 2))
        for n in range(count)
    ]
    await asyncio.sleep(0.05)
    assert done == []
    gate.set()
    await asyncio.gather(first, *jobs)

    assert done == [(HOSTILE, 0), (HEALTHY, 0), (HOSTILE, 1), (HEALTHY, 1), (HOSTILE, 2), (HOSTILE, 3)]


async def test_deadline(gate: threading.Event, caplog: pytest.LogCaptureFixture):
    """A caller who waited too long is refused; work that has not begun by then never does."""
    worker = Worker(deadline=0.05)
    begun: list[int] = []
    hanging = start(worker, HOSTILE, gate.wait)
    waiting = start(worker, HEALTHY, lambda: begun.append(1))
    ended = await asyncio.gather(hanging, waiting, return_exceptions=True)
    gate.set()
    await start(worker, OTHER, lambda: None)

    assert [type(error) for error in ended] == [Overloaded, Overloaded]
    assert begun == []
    assert all("not done in time" in message for message in caplog.messages)


async def test_errors():
    """The caller gets the work's own error, a TimeoutError too, and the thread goes on."""
    worker = Worker()

    def fail() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await worker.run(fail)
    assert await worker.run(str, 7) == "7"
