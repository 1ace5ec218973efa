"""What two processes try at the same moment, each in a process of its own: ``python -m tests.storage.racing URL``."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from typing import Any

from bot.domain.access import Capability, Grant
from bot.domain.errors import SteamAccountTaken
from bot.domain.links import Link, LinkSource, SignIn
from bot.domain.notes import Note
from bot.domain.steam import SteamId
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.repositories import Repositories
from tests.contracts.samples import ADA, GUILD, LATER, NOW, draft

TRIES = 20
"""How often each process tries what may be done :data:`AT_MOST` times, or once for each of so many."""
AT_MOST = 5
NONCE = "2026-03-29T00:59:59Zracing{}"


async def raced(url: str) -> dict[str, int]:
    """Do everything with the other process, and return how often each thing was done here."""
    async with PostgresDatabase.open(url) as db:
        own = Repositories.over(db, worker=f"worker of {id(db)}", now=lambda: NOW)
        print("open", flush=True)  # noqa: T201 -- the test reads it
        me = await asyncio.to_thread(sys.stdin.readline)
        user = 1_000 + 100 * int(me)
        accounts = [SteamId.from_account_id(number + 1) for number in range(TRIES)]
        digests = [f"{int(me):032x}{number:032x}" for number in range(TRIES)]
        note = Note(0, GUILD, ADA, accounts[0], ADA, "Called twice", NOW)
        grants = [Grant(GUILD, number + 1, Capability.APPROVE_RESEND) for number in range(TRIES)]
        for number, digest in enumerate(digests):
            await own.sign_ins.begin(SignIn(digest, GUILD + 1, user + number, LATER))
        return {
            "notes": await _done(own.notes.add(note, at_most=AT_MOST) for _ in range(TRIES)),
            "resends": await _done(
                own.resends.open(draft(trade_id=user + number), at_most=AT_MOST) for number in range(TRIES)
            ),
            "resends of a trade": await _done(
                own.resends.open(replace(draft(trade_id=number + 1), requested_by=user + number))
                for number in range(TRIES)
            ),
            "links": await _done(
                own.links.put(Link(GUILD, user + number, account, LinkSource.STAFF, ADA, NOW))
                for number, account in enumerate(accounts)
            ),
            "sign-ins": await _done(
                own.sign_ins.complete(
                    digest, steam_id=SteamId.from_account_id(user + number), nonce=NONCE.format(number), at=NOW
                )
                for number, digest in enumerate(digests)
            ),
            "grants": await _done(own.grants.grant(grant, by=ADA, at=NOW) for grant in grants),
            "pauses": await _done(own.pauses.pause(GUILD + number, by=ADA, at=NOW) for number in range(TRIES)),
        }


async def _done(calls: Iterable[Awaitable[Any]]) -> int:
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, SteamAccountTaken):
            raise answer
    return sum(answer is not None and not isinstance(answer, SteamAccountTaken) for answer in answers)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(raced(sys.argv[1]))), flush=True)  # noqa: T201 -- same
