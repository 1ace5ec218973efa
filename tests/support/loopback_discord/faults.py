"""What goes wrong between the bot and the loopback Discord, on request of a test."""

from dataclasses import dataclass

from tests.support.loopback_discord.wire import Json, Request

_TOO_MANY_REQUESTS = 429


@dataclass(slots=True, eq=False)
class Fault:
    """Something that goes wrong with the next ``times`` matching requests; ``used`` counts those it has hit.

    ``carried_out`` says whether the request still has its effect, so that only the answer is lost.
    """

    method: str
    path: str
    times: int = 1
    status: int | None = None
    code: int = 0
    retry_after: float | None = None
    seconds: float = 0.0
    is_dropped: bool = False
    carried_out: bool = False
    used: int = 0

    def body(self) -> Json:
        """Return the JSON body that goes with ``status``."""
        body: Json = {"message": "a fault of the loopback Discord", "code": self.code}
        if self.retry_after is not None:
            body |= {"retry_after": self.retry_after, "global": False}
        return body


class Faults:
    """The faults in store. A path is below the API's base, and ``*`` is any one segment of it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

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
        """Answer the next matching requests with ``status``; a 429 says to wait ``retry_after`` seconds."""
        if status == _TOO_MANY_REQUESTS and retry_after is None:
            raise ValueError(status, retry_after)
        return self._keep(
            Fault(method, path, times, status=status, code=code, retry_after=retry_after, carried_out=carried_out)
        )

    def drop(self, method: str, path: str, *, times: int = 1, carried_out: bool = False) -> Fault:
        """Cut the connection of the next matching requests instead of answering."""
        return self._keep(Fault(method, path, times, is_dropped=True, carried_out=carried_out))

    def delay(self, method: str, path: str, seconds: float, *, times: int = 1) -> Fault:
        """Let the next matching requests take ``seconds`` to arrive."""
        return self._keep(Fault(method, path, times, seconds=seconds, carried_out=True))

    def take(self, request: Request) -> Fault | None:
        """Use up and return the fault that hits the request."""
        for fault in self._faults:
            if fault.used < fault.times and request.matches(fault.method, fault.path):
                fault.used += 1
                return fault
        return None

    def _keep(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault
