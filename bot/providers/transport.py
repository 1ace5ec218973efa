"""HTTP to one provider: bounded connections, deadlines and bodies, and failures as facts.

The only module that imports httpx. A cancelled request can lose a slot of httpx's shared pool for good
(encode/httpcore#1093), so each request borrows a pool of one connection. A connection whose request failed or was
cancelled is closed and never used again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json as jsonlib
import logging
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import quote, urlencode

import httpx

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind
from bot.providers.rate_limits import RateLimiter, RateLimitExceeded
from bot.providers.response import ACCEPT_ENCODING, BodyTooLarge, BodyUnreadable, Response, read_body
from bot.providers.slots import FairSlots, Held, NoSlot

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from bot.domain.failures import Party, ProviderName
    from bot.domain.resends import BeforeSend
    from bot.ports import Clock

_log = logging.getLogger(__name__)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Not 300: Mannco.store answers its ordinary refusals with it (providers.md, 4.3)."""
_INDEX = re.compile(r"\[\d+\]")
_MAX_LOGGED_PLACES = 200
_MIB = 2**20
_COOLDOWN_PER_MIB = 5.0
"""Seconds, for each MiB after the first (about 1,500 items). Reading 8 MiB keeps the interpreter busy for a second, so
one customer who asks for nothing else takes less than a tenth of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds, sizes in bytes.

    ``wait`` is for a free slot, ``read`` and ``write`` for the next piece, ``deadline`` for a whole request.
    ``idle`` is less than the five seconds after which common servers close an idle connection.
    """

    wait: float = 5.0
    connect: float = 5.0
    write: float = 5.0
    read: float = 12.0
    deadline: float = 13.0
    idle: float = 4.0
    body: int = 8 * 2**20
    connections: int = 16
    idle_connections: int = 4


class Transport:
    """The connections to one provider; use it as ``async with``.

    ``base_url`` is the prefix of the paths. ``ssl_context`` is shared by all providers, since creating one takes
    tens of milliseconds. No proxy is read from the environment, no redirect is followed, no cookie is kept.
    """

    def __init__(
        self,
        provider: ProviderName | Party,
        base_url: str,
        ssl_context: ssl.SSLContext,
        clock: Clock,
        limits: Limits | None = None,
        limiter: RateLimiter | None = None,
    ) -> None:
        self.provider = provider
        self.clock = clock
        self.limits = limits or Limits()
        self._base_url = base_url.rstrip("/")
        self._ssl_context = ssl_context
        self._timeouts = {
            "connect": self.limits.connect,
            "read": self.limits.read,
            "write": self.limits.write,
            "pool": self.limits.wait,
        }
        self._limiter = limiter or RateLimiter({}, clock)
        self._slots = FairSlots(self.limits.connections)
        self._idle: list[_Connection] = []
        """The connections not in use, the one used last at the end."""
        self._busy: set[_Connection] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self._unexpected: set[str] = set()
        for name in ("httpx", "httpcore"):
            # Below WARNING they log addresses, which contain trade URLs and tokens.
            logging.getLogger(name).setLevel(logging.WARNING)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection: requests in flight fail as lost, later ones as unreachable."""
        self._is_closed = True
        for connection in [*self._idle, *self._busy]:
            self._discard(connection)
        await asyncio.gather(*self._closing)

    def note_unexpected(self, place: str) -> None:
        """Log a place, such as ``data.inventory[3].wear``, once for all indexes. The value there is never kept."""
        place = _INDEX.sub("[]", place)
        if place not in self._unexpected and len(self._unexpected) < _MAX_LOGGED_PLACES:
            self._unexpected.add(place)
            _log.warning("unexpected answer provider=%s place=%s", self.provider.value, place)

    async def request(  # noqa: PLR0913 -- the parts of a request
        self,
        method: str,
        path: str = "",
        *,
        names: Sequence[str] = (),
        query: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        form: Iterable[tuple[str, str]] | None = None,
        json: Mapping[str, str] | None = None,
        fresh: bool = False,
        before_send: BeforeSend | None = None,
    ) -> Response:
        """Send one request, exactly once, and return the response, unless it is a redirect; ProviderError otherwise.

        ``names``, such as an account, make a last part of the path, with commas between them, that is not logged and
        counts towards the same limit. ``form`` or ``json`` is the body. ``fresh`` opens a new connection, for a request
        that must not be lost on one that the provider is about to close. ``before_send`` is awaited once the connection
        is open, before the first byte: if it raises, nothing is sent and its exception, which must be a SkinDeskError,
        reaches the caller.
        """
        address = f"{path}/{','.join(quote(name, safe='') for name in names)}" if names else path
        request = self._build(method, address, query, headers, form, json)
        connection: _Connection | None = None
        place = None
        log_facts = f"provider={self.provider.value} method={method} path={path}"
        try:
            async with asyncio.timeout(self.limits.deadline):
                # The slot first: a call that is still waiting for one does not count towards the provider's limit.
                async with self._slot() as held, self._limiter.call(method, path):
                    with self._connection(fresh=fresh) as connection:
                        status, received_headers, body = await connection.exchange(
                            request, limit=self.limits.body, before_send=before_send
                        )
                        held.cooldown = _cooldown_after(len(body))
        except NoSlot as refused:
            kind = FailureKind.BUSY_WITH_OWN if refused.own else FailureKind.BUSY
        except RateLimitExceeded as exceeded:
            raise self._rate_limited(exceeded) from None
        except _Redirected:
            kind = FailureKind.REDIRECTED
        except BodyTooLarge:
            kind = FailureKind.TOO_LARGE
        except BodyUnreadable:
            kind, place = FailureKind.NONSENSE, "content-encoding"
        except httpx.LocalProtocolError:
            # A header that HTTP does not allow, for example a key with a line break: it was not sent.
            kind, place = FailureKind.UNREACHABLE, "request"
        except (httpx.TimeoutException, TimeoutError):
            was_sent = connection is not None and connection.was_sent
            kind = FailureKind.TIMED_OUT if was_sent else FailureKind.UNREACHABLE
        except (httpx.HTTPError, OSError):
            was_sent = connection is not None and connection.was_sent
            kind = FailureKind.LOST if was_sent else FailureKind.UNREACHABLE
        else:
            _log.debug("provider answered %s status=%d bytes=%d", log_facts, status, len(body))
            response = Response(self.provider, status, received_headers, body, self.clock.now(), self.note_unexpected)
            await self._limiter.update_from_headers(method, path, response)
            return response
        _log.debug("provider failed %s kind=%s", log_facts, kind)
        # Raised outside the handlers: an exception of httpx can quote a header, so none may be chained to ours.
        http_status = None if connection is None else connection.status
        raise ProviderError(Failure(self.provider, kind, http_status=http_status, place=place))

    async def check_limit(self, method: str, path: str) -> None:
        """Raise ProviderError if the caller may make no such call now: use it before calls that only prepare one."""
        try:
            await self._limiter.check(method, path)
        except RateLimitExceeded as exceeded:
            raise self._rate_limited(exceeded) from None

    async def pause(self, method: str, path: str) -> None:
        """Make no such call for the length of its limit's window: the answer said that the limit is reached."""
        await self._limiter.pause(method, path)

    def _rate_limited(self, exceeded: RateLimitExceeded) -> ProviderError:
        return ProviderError(Failure(self.provider, FailureKind.RATE_LIMITED_LOCALLY, retry_after=exceeded.wait))

    def _build(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]],
        headers: Mapping[str, str] | None,
        form: Iterable[tuple[str, str]] | None,
        json: Mapping[str, str] | None,
    ) -> httpx.Request:
        parameters = urlencode(list(query), quote_via=quote, safe="")
        sent = {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPT_ENCODING,
            "User-Agent": "SkinDesk",
            **(headers or {}),
        }
        content = None
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            content = urlencode(list(form), quote_via=quote, safe="").encode()
        elif json is not None:
            sent["Content-Type"] = "application/json"
            content = jsonlib.dumps(json, separators=(",", ":")).encode()
        return httpx.Request(
            method,
            f"{self._base_url}{path}?{parameters}" if parameters else f"{self._base_url}{path}",
            headers=[(name.encode(), value.encode("utf-8", "replace")) for name, value in sent.items()],
            content=content,
            extensions={"timeout": self._timeouts},
        )

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncIterator[Held]:
        """Hold a slot for one request; NoSlot if none is free in time."""
        try:
            async with self._slots.hold(within=self.limits.wait) as held:
                try:
                    yield held
                except BodyTooLarge:
                    held.cooldown = _cooldown_after(self.limits.body)
                    raise
        finally:
            self._trim()

    @contextlib.contextmanager
    def _connection(self, *, fresh: bool) -> Iterator[_Connection]:
        """Lend a connection; keep it for later requests if the block succeeds."""
        if self._is_closed:
            raise httpx.PoolTimeout("closed")
        reuse = self._idle and not fresh
        connection = self._idle.pop() if reuse else _Connection(self._ssl_context, self.limits)
        self._busy.add(connection)
        try:
            yield connection
        except BaseException:
            self._discard(connection)
            raise
        self._busy.discard(connection)
        connection.used_at = time.monotonic()
        self._idle.append(connection)

    def _trim(self) -> None:
        """Close connections that idled too long, and the surplus unless requests wait for a slot."""
        oldest_use = time.monotonic() - self.limits.idle
        expired = sum(connection.used_at < oldest_use for connection in self._idle)
        surplus = 0 if self._slots.is_full else len(self._idle) - self.limits.idle_connections
        for connection in self._idle[: max(expired, surplus)]:
            self._discard(connection)

    def _discard(self, connection: _Connection) -> None:
        """Close a connection in the background: its caller may be cancelled or late."""
        self._busy.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        closing = asyncio.create_task(connection.aclose())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


def _cooldown_after(size: int) -> float:
    """Return the seconds in which a body of this size still counts as a running call of its caller.

    Reading large answers is the dearest work that one person can cause.
    """
    return max(0.0, size / _MIB - 1) * _COOLDOWN_PER_MIB


class _Redirected(Exception):
    """The response is a redirect."""


class _Connection:
    """A pool of one connection. ``was_sent`` and ``status`` describe its latest request."""

    def __init__(self, ssl_context: ssl.SSLContext, limits: Limits) -> None:
        self._pool = httpx.AsyncHTTPTransport(
            verify=ssl_context,
            trust_env=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=limits.idle),
        )
        self._stream: Any = None
        self._before_send: BeforeSend | None = None
        self.used_at = 0.0
        self.was_sent = False
        self.status: int | None = None

    async def exchange(
        self, request: httpx.Request, *, limit: int, before_send: BeforeSend | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request and return the response's status, headers and inflated body."""
        self._before_send = before_send
        self.was_sent = False
        self.status = None
        request.extensions["trace"] = self._trace
        response = await self._pool.handle_async_request(request)
        self.status = response.status_code
        if response.status_code in _REDIRECTS:
            raise _Redirected
        headers = {name.lower(): value for name, value in response.headers.multi_items()}
        # The raw stream: httpx's own decoding inflates without a limit.
        pieces = cast("httpx.AsyncByteStream", response.stream)
        body = await read_body(pieces, headers.get("content-encoding", ""), limit=limit)
        await response.aclose()
        return response.status_code, headers, body

    async def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            # Kept to be closed here: httpcore loses it if cancelled during the TLS handshake.
            self._stream = info["return_value"]
        elif event == "http11.send_request_headers.started":
            if self._before_send is not None:
                await self._before_send()
            self.was_sent = True

    async def aclose(self) -> None:
        """Close the connection in any state."""
        with contextlib.suppress(httpx.HTTPError, OSError):
            await self._pool.aclose()
        if self._stream is not None:
            with contextlib.suppress(OSError):
                await self._stream.aclose()
