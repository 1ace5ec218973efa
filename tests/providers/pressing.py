"""Processes that ask AssetPay for inventories as often as the limits let them, and a provider that counts what arrives.

As a program it is one such process: ``python -m tests.providers.pressing DATABASE PROVIDER SECONDS``. The length of the
limit's minute comes from the environment, so that a test need not last minutes.
"""

import asyncio
import os
import random
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from bot import provider_setup
from bot.config import Settings
from bot.domain.access import Caller, on_behalf_of
from bot.domain.errors import ProviderError
from bot.domain.inventory import InventoryQuery
from bot.domain.secrets import TradeToken
from bot.domain.steam import Game, SteamId, TradeUrl
from bot.providers.explanations import Catalogue
from bot.storage.postgres.database import PostgresDatabase
from bot.storage.postgres.windows import PostgresWindows
from bot.system_clock import SystemClock
from tests.support.loopback import Loopback, Recorded, Reply, after, as_json

LIMIT = 10
"""Calls a minute of an unverified client."""

TASKS = 6

_PER = "PRESSING_SECONDS_PER_WINDOW"
_SLOWEST = 0.3
_EMPTY = as_json({"success": True, "data": {"inventory": [], "count": 0}})


class CountingProvider(Loopback):
    """Answers after up to 0.3 seconds, and knows when each request arrived."""

    def __init__(self) -> None:
        super().__init__(self._count)
        self.arrived: list[float] = []

    def _count(self, asked: Recorded) -> Reply:
        assert asked.path == "/client/inventory"
        self.arrived.append(time.monotonic())
        return after(random.uniform(0, _SLOWEST), _EMPTY)  # noqa: S311 -- no secret

    def most_in(self, per: float) -> int:
        """Return the most requests that arrived in any period of ``per`` seconds."""
        return max((sum(first <= at < first + per for at in self.arrived) for first in self.arrived), default=0)


@asynccontextmanager
async def pressing(url: str, provider: CountingProvider, *, seconds: float, per: float) -> AsyncIterator[Process]:
    """Run a process that presses the limit; it prints how many calls it made."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.providers.pressing",
        url,
        provider.url,
        str(seconds),
        stdout=PIPE,
        env=os.environ | {_PER: str(per)},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _main(url: str, provider: str, seconds: float) -> None:
    per = float(os.environ[_PER])
    routes = ((*route[:-1], timedelta(seconds=per)) for route in provider_setup._CLIENT_ROUTES)
    provider_setup._CLIENT_ROUTES = tuple(routes)  # type: ignore[assignment]
    tables = {"assetpay_client": {"base_url": provider, "client_token": "token-1"}}
    settings = Settings.model_validate({"discord": {"token": "simulated"}, "providers": tables})
    async with AsyncExitStack() as stack:
        windows = PostgresWindows(await stack.enter_async_context(PostgresDatabase.open(url)))
        stack.push_async_callback(windows.close)
        opened = await provider_setup.open_providers(
            settings, stack, clock=SystemClock(), explanations=Catalogue.load(), windows=windows
        )
        (client,) = opened.inventories
        made = 0
        until = time.monotonic() + seconds

        async def press(number: int) -> None:
            nonlocal made
            while time.monotonic() < until:
                caller = Caller(random.randrange(1_000), is_staff=number % 2 == 0)  # noqa: S311 -- no secret
                account = SteamId.from_account_id(random.randrange(1, 1_000))  # noqa: S311 -- as above
                try:
                    with on_behalf_of(caller):
                        await client.look_up(InventoryQuery(TradeUrl(account, TradeToken("AbCdEfGh")), Game.CS2))
                    made += 1
                except ProviderError:
                    await asyncio.sleep(random.uniform(0, per / 50))  # noqa: S311 -- as above

        await asyncio.gather(*map(press, range(TASKS)))
    sys.stdout.write(str(made))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
