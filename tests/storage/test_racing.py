"""Two processes on one PostgreSQL that do the same things at the same moment."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections import Counter

from tests.architecture.sources import ROOT
from tests.storage.racing import AT_MOST, TRIES
from tests.support import postgres


async def test_at_once():
    """No limit is exceeded, each thing is done by one of them, and the audit log has no gap."""
    with postgres.database() as url:
        racers = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.storage.racing", url, stdin=PIPE, stdout=PIPE, cwd=ROOT
            )
            for _ in range(2)
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert await racer.stdout.readline() == b"open\n"
        ends = await asyncio.gather(*(racer.communicate(b"%d\n" % number) for number, racer in enumerate(racers)))
        done = sum((Counter(json.loads(out)) for out, _ in ends), Counter())
        report = postgres.chain_report(url)

    once = ("resends of a trade", "links", "sign-ins", "grants", "pauses")
    assert done == {"notes": AT_MOST, "resends": AT_MOST, **dict.fromkeys(once, TRIES)}
    assert report.fault is None
