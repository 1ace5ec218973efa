"""Drives the services of two guilds in one process or several, for the state machine of resends."""

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from bot.domain.access import Actor
from bot.domain.errors import SkinDeskError
from bot.domain.resends import Resend, ResendState
from tests.contracts.engines import ENGINES, Repositories
from tests.fakes.counted_trade_provider import CountedTradeProvider, Late
from tests.services.resend_setup import AGENTS, CUSTOMERS_ACCOUNT, GUILD, MODERATORS, Crashed, ResendSetup, member

TRADES = (1, 2)
REQUESTER = 102


class ResendDriver(RuleBasedStateMachine):
    """The services of two guilds over one database, and what runs while they answer.

    Several processes are killed in turns: while one is dead, the others go on.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stack = AsyncExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        self._runner = asyncio.Runner()
        self._waiting: list[tuple[asyncio.Task[Any], Late, ResendSetup]] = []
        self._lost: list[Late] = []
        self._is_mended = True
        self._alive, self._provider = self._runner.run(self._opened(Path(folder)))
        self._dead: list[ResendSetup] = []

    async def _stores(self, folder: Path) -> list[Repositories]:
        """Open the database, once for each process."""
        return [await self._stack.enter_async_context(ENGINES["sqlite"](folder))]

    async def _opened(self, folder: Path) -> tuple[list[ResendSetup], CountedTradeProvider]:
        stores = await self._stores(folder)
        provider = CountedTradeProvider(stores[0].resends, stores[0].audit)
        first = ResendSetup(stores[0], provider)
        first.provider = provider
        await first.set_up()
        processes = [first, *(ResendSetup(store, provider, beside=first) for store in stores[1:])]
        for process in processes:
            await process.start()
        for trade_id in TRADES:
            provider.add(trade_id, CUSTOMERS_ACCOUNT)
        return processes, provider

    @property
    def _services(self) -> ResendSetup:
        """The process that gets the next click, and the next kill."""
        return self._alive[0]

    def _process(self, number: int) -> ResendSetup:
        """Return the processes in turns, for clicks at the same time."""
        return self._alive[number % len(self._alive)]

    async def _told(self) -> None:
        """Wait until no process tells Discord anything."""
        for process in self._alive * 2:  # what one shows may change what another one does
            await process.told()

    def _tick(self) -> None:
        """Let every process do a round of its background work, at the same time."""
        self._do(*(process.delivery.tick() for process in self._alive))
        self._do(*(process.delivery.refresh_cards() for process in self._alive))

    def teardown(self) -> None:
        self._runner.run(self._ended())
        self._runner.close()

    async def _ended(self) -> None:
        for process in self._alive:
            await process.delivery.close(within=0.0)
        await asyncio.gather(*(task for task, *_ in self._waiting), return_exceptions=True)
        for late in (*self._lost, *(late for _, late, _ in self._waiting)):
            late.cancel()
        await self._stack.aclose()

    def _request(self, trade_id: int, guild_id: int) -> None:
        """Let the trade fail again, if necessary, and request its resend."""
        if self._provider.kept[trade_id].not_resendable is not None:
            self._provider.change(trade_id, status=-1)
        self._do(self._services.requested(trade_id, by=member(REQUESTER, AGENTS, MODERATORS, guild_id=guild_id)))

    def _stored(self, number: int) -> Resend | None:
        return self._runner.run(self._services.repositories.resends.get(self._guild(number), number))

    def _one(self, which: int, *states: ResendState) -> int:
        """Return one of the requests in these states; request a resend if there is none."""
        fitting = self._in(*states)
        if not fitting and ResendState.PENDING in states:
            open_trades = {shown.trade_id for shown in self._services.cards.shown.values() if shown.state.is_open}
            for trade_id in sorted(set(TRADES) - open_trades):
                self._request(trade_id, GUILD)
            fitting = self._in(*states)
        numbers = fitting or sorted(self._services.cards.shown, reverse=True) or [1]
        return numbers[which % len(numbers)]

    def _in(self, *states: ResendState) -> list[int]:
        return sorted(
            (number for number, shown in self._services.cards.shown.items() if shown.state in states), reverse=True
        )

    def _guild(self, number: int) -> int:
        shown = self._services.cards.shown.get(number)
        return shown.guild_id if shown is not None else GUILD

    def _moderators(self, number: int, people: int) -> list[Actor]:
        guild_id = self._guild(number)
        return [member(201 + each, MODERATORS, guild_id=guild_id) for each in range(people)]

    def _do(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        """Run everything at once; return the results of the calls that were not refused."""

        async def done() -> list[Any]:
            answers = list(await asyncio.gather(*work, return_exceptions=True))
            await self._told()
            return answers

        answers = self._runner.run(done())
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, SkinDeskError):
                raise answer
        return [answer for answer in answers if not isinstance(answer, BaseException)]

    async def _begun(self, work: Coroutine[Any, Any, Any], late: Late) -> None:
        self._provider.ways.append(late)
        task, reached = asyncio.create_task(work), asyncio.create_task(late.reached.wait())
        await asyncio.wait({task, reached}, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        if late.reached.is_set():
            self._waiting.append((task, late, self._services))
        else:
            await asyncio.gather(task, return_exceptions=True)

    async def _answered(self, task: asyncio.Task[Any], late: Late, process: ResendSetup, *, leaves: bool) -> None:
        if leaves:
            task.cancel()
        await late.let_go()
        work = {each for each, number in process.delivery._running.items() if number == late.resend_id}
        await asyncio.gather(task, *work, return_exceptions=True)
        await self._told()

    def _crash(self, work: Coroutine[Any, Any, Any], after: int) -> None:
        """Run ``work`` until its ``after``-th call to a port, or to its end, then crash."""
        left = after

        async def step(name: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                self._services.crash()

        async def interrupted() -> None:
            with suppress(SkinDeskError, Crashed, asyncio.CancelledError):
                await work

        self._services.step = step
        self._runner.run(interrupted())
        self._services.step = None
        self._runner.run(self._crashed())

    async def _crashed(self) -> None:
        self._services.crash()

    async def _started_again(self) -> None:
        """Let another process take over from the one that has ended; the only one starts again."""
        ended = self._alive.pop(0)
        ended.desk.end(ended.workers)
        cut_off = [each for each in self._waiting if each[2] is ended]
        await asyncio.gather(*(task for task, *_ in cut_off), return_exceptions=True)
        self._lost += [late for _, late, _ in cut_off]
        self._waiting = [each for each in self._waiting if each[2] is not ended]
        self._dead.append(ended)
        if not self._alive:
            await self._dead[0].start()
            self._alive.append(self._dead.pop(0))
        for process in self._alive:
            await process.tick()
            await process.refresh()
        await self._told()
        cards = self._services.cards
        self._is_mended = cards.edits == cards.posts == "taken"
