"""One task for equal questions, whatever becomes of the callers."""

import asyncio

import pytest

from bot.single_flight import SingleFlight


class Gate:
    """Work that waits until it is opened, and counts how often it was started."""

    def __init__(self, outcome: int | Exception = 1) -> None:
        self.started = 0
        self.opened = asyncio.Event()
        self._outcome = outcome

    async def __call__(self) -> int:
        self.started += 1
        await self.opened.wait()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


async def test_equal_keys_share_one_task_and_others_do_not() -> None:
    flights, gate = SingleFlight[str, int](), Gate()
    callers = [asyncio.create_task(flights.run(key, gate)) for key in ("a", "a", "b")]
    await asyncio.sleep(0)
    gate.opened.set()

    assert await asyncio.gather(*callers) == [1, 1, 1]
    assert gate.started == 2
    assert "a" not in flights


async def test_a_cancelled_caller_cancels_neither_the_task_nor_the_others() -> None:
    flights, gate = SingleFlight[str, int](), Gate()
    first, second = (asyncio.create_task(flights.run("a", gate)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    third = asyncio.create_task(flights.run("a", gate))
    gate.opened.set()

    assert [await second, await third] == [1, 1]
    assert first.cancelled()
    assert gate.started == 1


async def test_every_caller_gets_the_failure_and_the_next_one_starts_again() -> None:
    flights, gate = SingleFlight[str, int](), Gate(ValueError("no"))
    gate.opened.set()

    outcomes = await asyncio.gather(flights.run("a", gate), flights.run("a", gate), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [ValueError, ValueError]
    with pytest.raises(ValueError, match="no"):
        await flights.run("a", gate)
    assert gate.started == 2


async def test_an_error_that_is_the_starters_own_reaches_no_other_caller() -> None:
    flights, refused, gate = (
        SingleFlight[str, int](is_starters_own=lambda error: isinstance(error, ValueError)),
        Gate(ValueError()),
        Gate(),
    )
    starter = asyncio.create_task(flights.run("a", refused))
    await asyncio.sleep(0)
    others = [asyncio.create_task(flights.run("a", gate)) for _ in range(3)]
    await asyncio.sleep(0)
    refused.opened.set()
    gate.opened.set()

    assert await asyncio.gather(*others) == [1, 1, 1]
    assert isinstance((await asyncio.gather(starter, return_exceptions=True))[0], ValueError)
    assert gate.started == 1


async def test_a_discarded_task_is_joined_no_more_and_knows_it() -> None:
    flights, gate = SingleFlight[str, bool](), Gate()

    async def work() -> bool:
        await gate()
        return flights.is_current("a")

    stale = asyncio.create_task(flights.run("a", work))
    await asyncio.sleep(0)
    flights.discard(lambda key: key == "a")
    fresh = asyncio.create_task(flights.run("a", work))
    await asyncio.sleep(0)
    gate.opened.set()

    assert [await stale, await fresh] == [False, True]


async def test_close_cancels_discarded_tasks_too() -> None:
    flights, gate = SingleFlight[str, int](), Gate()
    callers = [asyncio.create_task(flights.run("a", gate))]
    await asyncio.sleep(0)
    flights.discard(lambda _key: True)
    callers.append(asyncio.create_task(flights.run("b", gate)))
    await asyncio.sleep(0)

    await flights.close()

    assert [type(error) for error in await asyncio.gather(*callers, return_exceptions=True)] == [
        asyncio.CancelledError
    ] * 2
