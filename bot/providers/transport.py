"""HTTP to one provider: leased connections, deadlines, bounded bodies, and failures as facts.

The only module that imports httpx. httpx 0.28's shared pool can lose a slot for good when a request is cancelled
(encode/httpcore#1093), so nothing is shared here: a request leases a pool of one connection, and a lease that met an
exception or a cancellation is closed and never used again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json as jsonlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import quote, urlencode

import httpx

from bot.domain.errors import ProviderError
from bot.domain.failures import Failure, FailureKind
from bot.providers.answer import Answer
from bot.providers.body import ACCEPT_ENCODING, Body, BodyTooLarge, BodyUnreadable
from bot.providers.rate_limits import RateLimiter, RateLimitExceeded
from bot.providers.unexpected import Unexpected

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable, Mapping
    from types import TracebackType

    from bot.domain.failures import Party, ProviderName
    from bot.ports import Clock

_log = logging.getLogger(__name__)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Not 300: Mannco.store answers its ordinary refusals with it (providers.md, 4.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how much; times in seconds, sizes in bytes.

    ``wait`` is for a free connection, ``read`` and ``write`` for the next piece, ``deadline`` for all of a request
    together. A connection is used again within ``idle`` seconds only: less than the five after which common servers
    close one, so that no request meets a connection that is just being closed.
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
    """The way to one provider. Use it as ``async with``; it gives every connection back at the end.

    ``base_url`` is where the paths of :meth:`request` begin. ``ssl_context`` is shared by all providers: building
    one costs tens of milliseconds. ``budgets`` are the limits that requests count against. No proxy or certificate
    setting is read from the environment, no redirect is followed, no cookie is kept.
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
        self.unexpected = Unexpected(provider)
        self._base_url = base_url.rstrip("/")
        self._ssl_context = ssl_context
        self._limits = limits or Limits()
        self._limiter = limiter or RateLimiter({}, clock)
        self._slots = asyncio.Semaphore(self._limits.connections)
        self._waiting = 0
        self._idle: list[_Lease] = []
        self._busy: set[_Lease] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._is_closed = False
        for name in ("httpx", "httpcore"):
            # Below WARNING they print addresses, and trade URLs and tokens stand in addresses.
            logging.getLogger(name).setLevel(logging.WARNING)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection; requests under way fail as lost, later ones as unreachable."""
        self._is_closed = True
        for lease in [*self._idle, *self._busy]:
            self._discard(lease)
        await asyncio.gather(*self._closing)

    @contextlib.asynccontextmanager
    async def deadline(self) -> AsyncIterator[float]:
        """Put one deadline over everything inside; ProviderError TIMED_OUT where it passes. Gives its loop time."""
        until = asyncio.get_running_loop().time() + self._limits.deadline
        try:
            async with asyncio.timeout_at(until):
                yield until
        except TimeoutError:
            pass
        else:
            return
        raise ProviderError(Failure(self.provider, FailureKind.TIMED_OUT))

    async def request(
        self,
        method: str,
        path: str = "",
        *,
        query: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        form: Iterable[tuple[str, str]] | None = None,
        json: Mapping[str, str] | None = None,
        fresh: bool = False,
    ) -> Answer:
        """Send one request, exactly once, and return whatever was answered but a redirect; ProviderError otherwise.

        ``form`` or ``json`` is the body. ``fresh`` opens a connection of its own, for a request that must not be
        lost on one that the provider was about to close.
        """
        request = self._build(method, path, query, headers, form, json)
        exchange = _Exchange()
        try:
            async with asyncio.timeout(self._limits.deadline), self._limiter.call(method, path):
                answer = await self._send(request, exchange, fresh=fresh)
        except RateLimitExceeded as spent:
            wait = max(spent.free_at - self.clock.now(), timedelta(0))
            raise ProviderError(Failure(self.provider, FailureKind.RATE_LIMITED_LOCALLY, retry_after=wait)) from None
        except _Redirected:
            kind, place = FailureKind.REDIRECTED, None
        except BodyTooLarge:
            kind, place = FailureKind.TOO_LARGE, None
        except BodyUnreadable:
            kind, place = FailureKind.NONSENSE, "content-encoding"
        except httpx.LocalProtocolError:
            # A header that HTTP does not allow, say a line break in a key: it never left.
            kind, place = FailureKind.UNREACHABLE, "request"
        except (httpx.TimeoutException, TimeoutError):
            kind, place = FailureKind.TIMED_OUT if exchange.was_sent else FailureKind.UNREACHABLE, None
        except (httpx.HTTPError, OSError):
            kind, place = FailureKind.LOST if exchange.was_sent else FailureKind.UNREACHABLE, None
        else:
            _log.debug(
                "provider answered provider=%s method=%s path=%s status=%d bytes=%d",
                self.provider.value, method, path, answer.status, len(answer.body),
            )  # fmt: skip
            self._limiter.update_from_headers(method, path, answer.status, answer.headers, answer.retry_after)
            return answer
        _log.debug("provider failed provider=%s method=%s path=%s kind=%s", self.provider.value, method, path, kind)
        # Outside the handlers on purpose: an exception of httpx can quote a header, so none is chained to ours.
        raise ProviderError(Failure(self.provider, kind, http_status=exchange.status, place=place))

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
            extensions={
                "timeout": {
                    "connect": self._limits.connect,
                    "read": self._limits.read,
                    "write": self._limits.write,
                    "pool": self._limits.wait,
                }
            },
        )

    async def _send(self, request: httpx.Request, exchange: _Exchange, *, fresh: bool) -> Answer:
        await self._wait_for_slot()
        try:
            if self._is_closed:
                raise httpx.PoolTimeout("closed")
            lease = self._lease(fresh=fresh)
            self._busy.add(lease)
            try:
                status, headers, body = await lease.exchange(request, exchange, limit=self._limits.body)
            except BaseException:
                self._discard(lease)
                raise
            self._keep(lease)
        finally:
            self._slots.release()
        return Answer(self.provider, status, headers, body, self.clock.now(), self.unexpected.note)

    async def _wait_for_slot(self) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(self._limits.wait):
                await self._slots.acquire()
        except BaseException:
            self._waiting -= 1
            self._trim()
            raise
        self._waiting -= 1  # whoever waited leases one now

    def _lease(self, *, fresh: bool) -> _Lease:
        """Return the connection used last, or a new one. Those that idled too long are closed on the way."""
        now = asyncio.get_running_loop().time()
        for lease in [lease for lease in self._idle if now - lease.used_at > self._limits.idle]:
            self._discard(lease)
        return self._idle.pop() if self._idle and not fresh else _Lease(self._ssl_context, self._limits)

    def _keep(self, lease: _Lease) -> None:
        """Keep a connection that did its work for the next request."""
        self._busy.discard(lease)
        lease.used_at = asyncio.get_running_loop().time()
        self._idle.append(lease)
        self._trim()

    def _trim(self) -> None:
        """Close the connections that have idled longest, where there are more than enough for those who wait."""
        surplus = len(self._idle) - max(self._waiting, self._limits.idle_connections)
        for lease in self._idle[: max(surplus, 0)]:
            self._discard(lease)

    def _discard(self, lease: _Lease) -> None:
        """Close a connection for good, in the background: its caller may be cancelled or late already."""
        self._busy.discard(lease)
        if lease in self._idle:
            self._idle.remove(lease)
        closing = asyncio.get_running_loop().create_task(lease.aclose())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


class _Redirected(Exception):
    """The answer points elsewhere."""


class _Exchange:
    """How far a request got."""

    def __init__(self) -> None:
        self.was_sent = False
        self.status: int | None = None


class _Lease:
    """A pool of one connection."""

    def __init__(self, ssl_context: ssl.SSLContext, limits: Limits) -> None:
        self._pool = httpx.AsyncHTTPTransport(
            verify=ssl_context,
            trust_env=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=limits.idle),
        )
        self._stream: Any = None
        self.used_at = 0.0

    async def exchange(
        self, request: httpx.Request, exchange: _Exchange, *, limit: int
    ) -> tuple[int, dict[str, str], bytes]:
        """Send the request and read the whole answer: status, headers, inflated body."""

        async def watch(event: str, info: dict[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                # Kept to be closed by us: httpcore forgets it when cancelled during the TLS handshake.
                self._stream = info["return_value"]
            elif event == "http11.send_request_headers.started":
                exchange.was_sent = True

        request.extensions["trace"] = watch
        response = await self._pool.handle_async_request(request)
        exchange.status = response.status_code
        if response.status_code in _REDIRECTS:
            raise _Redirected
        headers = {name.lower(): value for name, value in response.headers.multi_items()}
        body = Body(headers.get("content-encoding", ""), limit=limit)
        # The stream itself: httpx's own decoding inflates without a bound.
        async for piece in cast("httpx.AsyncByteStream", response.stream):
            body.feed(piece)
        await response.aclose()
        return response.status_code, headers, body.whole()

    async def aclose(self) -> None:
        """Close the connection, whatever state it is in."""
        with contextlib.suppress(httpx.HTTPError, OSError):
            await self._pool.aclose()
        if self._stream is not None:
            with contextlib.suppress(OSError):
                await self._stream.aclose()
