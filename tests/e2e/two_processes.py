"""Two processes of one desk on one PostgreSQL, and interactions at a steady rate while each is ended in turn."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Self

from bot.domain.steam import SteamId
from bot.exit_codes import ExitCode
from tests.e2e.live_bot import STOPS_WITHIN, LiveBot
from tests.support import postgres
from tests.support.bot_process import BotProcess
from tests.support.loopback_discord.messages import Message, nested
from tests.support.loopback_discord.records import InteractionRecord
from tests.support.loopback_discord.wire import Refusal

CUSTOMERS = 10
_FIRST_ACCOUNT = 8_000_000
_LATEST = 5.0
"""Seconds in which each of these interactions is answered by a process that is not busy."""

_AUDITED = "SELECT detail, count(*) FROM audit WHERE action = 'link.set' GROUP BY detail"


@dataclass(slots=True)
class Report:
    """What became of the interactions, as Discord saw it."""

    records: list[InteractionRecord] = field(default_factory=list)
    ended_at: list[float] = field(default_factory=list)
    in_flight: list[set[int]] = field(default_factory=list)
    """The interactions without an answer at each end of a process."""
    seconds: list[float] = field(default_factory=list)
    """How long each new process took until it was connected."""
    connected_at: float = 0.0
    """When the newest process was connected, so that more than one gets what comes from then on."""

    @property
    def unanswered(self) -> list[InteractionRecord]:
        """The interactions that never got an answer."""
        return [record for record in self.records if not record.is_finished]

    @property
    def lost(self) -> list[InteractionRecord]:
        """The interactions that never got an answer, although no process ended while it may have had them."""
        in_flight = set().union(*self.in_flight)
        return [record for record in self.unanswered if record.id not in in_flight]

    @property
    def behind(self) -> list[InteractionRecord]:
        """The interactions that only the older process has got, which has not come to them yet.

        If it is killed before, nothing that lives has seen them, so no log can name them.
        """
        return [record for record in self.lost if record.dispatched_at < self.connected_at]

    @property
    def twice(self) -> list[InteractionRecord]:
        """The interactions that more than one answer was sent for."""
        return [record for record in self.records if Refusal.ALREADY_ACKNOWLEDGED in record.refusals]

    @property
    def late(self) -> list[InteractionRecord]:
        """The interactions whose first answer came after Discord's three seconds."""
        return [record for record in self.records if Refusal.UNKNOWN_INTERACTION in record.refusals]

    @property
    def interrupted(self) -> list[InteractionRecord]:
        """The interactions whose user was asked to use the command again, because a process stopped."""
        return [each for each in self.records if each.message is not None and "restarting" in each.message.text]


class TwoProcesses:
    """The processes, and people who use commands."""

    def __init__(self, live: LiveBot) -> None:
        self._live = live
        self._stack = AsyncExitStack()
        self.bots: list[BotProcess] = []
        self.ended: list[BotProcess] = []
        self._accounts = map(SteamId.from_account_id, count(_FIRST_ACCOUNT))
        self._customers = cycle([live.guild.add_member(f"customer-{number}") for number in range(CUSTOMERS)])
        self._pages: list[Message] = []
        self._is_over = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def running(cls, live: LiveBot, *, processes: int = 2) -> AsyncIterator[Self]:
        """Start the processes and set the desk up; stop them in order at the end."""
        pair = cls(live)
        try:
            pair.bots = [await pair._started() for _ in range(processes)]
            await live.set_up()
            pair._pages = [
                await live.use(live.agent, "inventory", tradeurl=live.world.customer.trade_url) for _ in range(2)
            ]
            yield pair
            for bot in pair.bots:
                assert await bot.terminate(STOPS_WITHIN) == ExitCode.OK
        finally:
            await pair._stack.aclose()

    async def rush(
        self, end: Callable[[BotProcess], Awaitable[object]], *, rate: float, number: int = 0, ends: int = 0
    ) -> Report:
        """Let ``end`` end the processes in turns, and start them again, while people use ``rate`` commands a second.

        It lasts for so many commands at least, and so many ends.
        """
        report = Report()
        ending = asyncio.create_task(self._end_in_turns(report, end))
        try:
            began = time.monotonic()
            while len(report.records) < number or len(report.seconds) < ends:
                each = len(report.records)
                await asyncio.sleep(began + each / rate - time.monotonic())
                report.records.append(await self._use(each))
        finally:
            self._is_over.set()
            await ending
        with suppress(TimeoutError):
            await self._live.server.until(lambda: not report.lost)
            await self._live.server.until(lambda: not report.unanswered, _LATEST)
        return report

    async def names(self, records: Sequence[InteractionRecord]) -> bool:
        """Wait until the logs name all of these, and return whether they do."""
        with suppress(TimeoutError):
            return bool(await self._live.server.until(lambda: self.named(records) == records))
        return False

    def named(self, records: Sequence[InteractionRecord]) -> list[InteractionRecord]:
        """Return those that the log of a process names."""
        logged = "\n".join(bot.stderr for bot in (*self.bots, *self.ended))
        return [record for record in records if f"{record.id}" in logged]

    def done_twice(self) -> list[str]:
        """Return the links that the audit log has more than once; each was asked for once."""
        return [detail for detail, number in postgres.rows(self._live.url, _AUDITED) if number > 1]

    async def _use(self, number: int) -> InteractionRecord:
        """Begin an interaction of each kind in turn: reads, writes, buttons, refusals."""
        live, customer = self._live, next(self._customers)
        match number % 6:
            case 0:
                return await live.begin(customer, "link status")
            case 1:
                return await live.begin(live.agent, "link set", member=customer, steam=str(next(self._accounts)))
            case 2:
                return await live.begin(live.customer, "inventory", tradeurl=live.world.customer.trade_url)
            case 3:
                page = self._pages[number // 6 % len(self._pages)]
                return await live.server.click(page, _turn(page), live.agent)
            case 4:
                return await live.begin(customer, "access list")
            case _:
                return await live.begin(live.moderator, "approvals")

    async def _started(self) -> BotProcess:
        bot = await self._stack.enter_async_context(self._live.bot(observability__log_level="info"))
        await bot.wait_ready(60.0)
        return bot

    async def _end_in_turns(self, report: Report, end: Callable[[BotProcess], Awaitable[object]]) -> None:
        for turn in count():
            await asyncio.sleep(0.5)
            if self._is_over.is_set():
                return
            with suppress(TimeoutError):
                await self._live.server.until(lambda: not report.behind)
            bot = self.bots[turn % len(self.bots)]
            ending = asyncio.ensure_future(end(bot))
            await asyncio.sleep(0)  # until the signal was sent
            newest = [each for each in report.records if each.age < _LATEST]
            report.ended_at.append(time.monotonic())
            report.in_flight.append({record.id for record in newest if not record.is_finished})
            await ending
            self.ended.append(bot)
            began = time.monotonic()
            self.bots[turn % len(self.bots)] = await self._started()
            report.seconds.append(time.monotonic() - began)
            report.connected_at = time.monotonic()


def _turn(page: Message) -> str:
    """Return the button that leads on, or back to the beginning."""
    enabled = [str(each.get("custom_id")) for each in nested(page.components) if not each.get("disabled")]
    return next(each for way in (":next:", ":first:") for each in enabled if way in each)


async def kill(bot: BotProcess) -> None:
    """End a process as the kernel does where memory runs out."""
    await bot.kill()


async def stop(bot: BotProcess) -> None:
    """Stop a process as a deploy does."""
    assert await bot.terminate(STOPS_WITHIN) == ExitCode.OK
