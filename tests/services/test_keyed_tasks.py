"""Background work on Discord: its order, and calls that do not end when they are cancelled."""

import asyncio

import pytest

from bot.services.keyed_tasks import KeyedTasks, call_within


async def test_call_that_sleeps_on(caplog: pytest.LogCaptureFixture) -> None:
    """A call that goes on after it was cancelled, as in a rate limit of discord.py, is not waited for."""
    cancelled, go_on = asyncio.Event(), asyncio.Event()

    async def limited() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
            await go_on.wait()
            raise OSError

    with pytest.raises(TimeoutError):
        await call_within(0.01, limited())

    await cancelled.wait()
    go_on.set()
    await asyncio.sleep(0)
    assert caplog.text == ""


async def test_order(caplog: pytest.LogCaptureFixture) -> None:
    """Work for one key runs in order, also after a failure, and does not wait for that of another key."""
    tasks, log, go_on = KeyedTasks(2), [], asyncio.Event()

    async def first() -> None:
        await go_on.wait()
        log.append("first")
        raise OSError

    async def then(name: str) -> None:
        log.append(name)

    tasks.begin(1, first)
    tasks.begin(1, lambda: then("second"))
    tasks.begin(2, lambda: then("other"))
    await tasks.wait(2, within=10.0)
    assert log == ["other"]
    go_on.set()
    await tasks.close(within=10.0)

    assert log == ["other", "first", "second"]
    assert "background work failed request=1" in caplog.text
    tasks.begin(3, lambda: then("too late"))
    assert not tasks.running
