"""Faults that a test puts between the bot and the loopback Discord."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tests.support.loopback_discord.wire import Json, Request


@dataclass(slots=True, eq=False)
class Fault:
    """A fault that hits the next ``times`` matching requests; ``used`` counts those it has hit.

    With ``carried_out`` the request still has its effect: only the answer is lost.
    """

    method: str
    path: str
    times: int = 1
    status: int | None = None
    code: int = 0
    retry_after: float | None = None
    seconds: float = 0.0
    is_dropped: bool = False
    page: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    carried_out: bool = False
    used: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Ends the delay before its time."""

    async def wait(self) -> None:
        """Wait as long as the requests are delayed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.seconds):
                await self.released.wait()

    def body(self) -> Json:
        """Return the JSON body that goes with ``status``."""
        body: Json = {"message": "a fault of the loopback Discord", "code": self.code}
        if self.retry_after is not None:
            body |= {"retry_after": self.retry_after, "global": False}
        return body


@dataclass(slots=True, eq=False)
class Faults:
    """The faults to come. A path is below the API's base; ``*`` stands for one segment."""

    _faults: list[Fault] = field(default_factory=list)

    def fail(
        self,
        method: str,
        path: str,
        status: int,
        *,
        code: int = 0,
        times: int = 1,
        retry_after: float | None = None,
        carried_out: bool = False,
    ) -> Fault:
        """Answer the next matching requests with ``status``; a 429 needs ``retry_after``."""
        return self._add(
            Fault(method, path, times, status=status, code=code, retry_after=retry_after, carried_out=carried_out)
        )

    def show(self, method: str, path: str, status: int, page: str, *, times: int = 99, **headers: str) -> Fault:
        """Answer the next matching requests with a web page, as a proxy does; ``_`` in a header's name is a ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._add(Fault(method, path, times, status=status, page=page, headers=named))

    def drop(self, method: str, path: str, *, times: int = 1) -> Fault:
        """Cut the connection of the next matching requests instead of answering."""
        return self._add(Fault(method, path, times, is_dropped=True))

    def delay(self, method: str, path: str, seconds: float, *, times: int = 1) -> Fault:
        """Delay the next matching requests by ``seconds``."""
        return self._add(Fault(method, path, times, seconds=seconds, carried_out=True))

    def all(self) -> list[Fault]:
        """Return the faults so far; one ends if its ``times`` are set to 0."""
        return self._faults

    def take(self, request: Request) -> Fault | None:
        """Use up and return the fault that hits the request."""
        for fault in self._faults:
            if fault.used < fault.times and request.matches(fault.method, fault.path):
                fault.used += 1
                return fault
        return None

    def _add(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault
