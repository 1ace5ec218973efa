"""Time in which a process had no turn breaks no promise; all other time counts."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE

import pytest

from tests.support.turns import Turns

SLEEPS = "import time; print(flush=True); time.sleep(60)"
WORKS = "print(flush=True)\nwhile True: pass"


@pytest.mark.parametrize(("program", "is_stopped"), [(SLEEPS, False), (SLEEPS, True), (WORKS, True)])
async def test_other_process(program: str, *, is_stopped: bool) -> None:
    """A process that waits had its turn; one that was stopped had none, unless the test itself holds it."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        async with Turns(process.pid) as turns:
            if is_stopped:
                process.send_signal(signal.SIGSTOP)
            assert await turns.wait(asyncio.create_task(asyncio.sleep(1.0 if is_stopped else 30.0)), 0.5) == is_stopped
            turns.is_held = True
            assert not await turns.wait(asyncio.create_task(asyncio.sleep(30.0)), 0.5)
    finally:
        process.kill()
        await process.communicate()


async def test_this_process() -> None:
    """A pause of this process itself does not count, and what came in it is seen after it."""
    async with Turns() as turns:
        before, came = turns.seconds, asyncio.create_task(asyncio.sleep(0.1))
        asyncio.get_running_loop().call_soon(time.sleep, 1.0)
        assert await turns.wait(came, 0.5)
        assert turns.seconds - before < 0.6
