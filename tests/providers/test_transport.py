"""The transport over real connections: requests, the failure of each misbehaviour, and no leaks."""

import asyncio
import gzip
import logging
import random
import ssl
from collections import Counter
from pathlib import Path

import pytest

from bot.domain.errors import ProviderError
from bot.domain.failures import FailureKind, ProviderName
from bot.providers.transport import Limits, Transport
from tests.support.loopback import (
    Loopback,
    after,
    as_gzip,
    as_json,
    begun,
    content,
    drip,
    drop,
    hang,
    in_turn,
    redirect,
    runs_out,
    truncated,
    verbatim,
)

MANNCO = ProviderName.MANNCO
CERTIFICATE = Path(__file__).parent / "loopback.pem"
"""A self-signed certificate for 127.0.0.1."""


def server_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


async def until(condition):
    """Wait for a condition that another task makes true."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 -- the other side's state has no event
            await asyncio.sleep(0.01)


class TestRequest:
    """Requests and responses."""

    async def test_get(self, server, connect):
        """A query is percent-encoded as in the seeds, and nothing is added."""
        query = [("tradeUrl", "https://steamcommunity.com/tradeoffer/new/?partner=1&token=a-_b"), ("search", "ü +/~%")]

        await connect(MANNCO, "/base").request("GET", "/path", query=query, headers={"api-key": "ap_x"})

        (request,) = server.requests
        assert request.target == (
            "/base/path?tradeUrl=https%3A%2F%2Fsteamcommunity.com%2Ftradeoffer%2Fnew%2F%3Fpartner%3D1%26token%3Da-_b"
            "&search=%C3%BC%20%2B%2F~%25"
        )
        assert request.header("api-key") == "ap_x"
        assert request.header("accept-encoding") == "gzip, deflate"
        assert request.body == b""

    async def test_bodies(self, server, connect):
        """A body is a form, which goes to the base address without a path, or JSON."""
        await connect(MANNCO, "/api.php").request("POST", form=[("method", "a b"), ("token", "x-_")])

        (request,) = server.requests
        assert (request.method, request.target) == ("POST", "/api.php")
        assert request.header("content-type") == "application/x-www-form-urlencoded"
        assert request.body == b"method=a%20b&token=x-_"

        await connect(MANNCO).request("POST", "/login", json={"apiKey": "k"})

        request = server.requests[1]
        assert request.header("content-type") == "application/json"
        assert request.body == b'{"apiKey":"k"}'

    @pytest.mark.parametrize("status", [200, 204, 300, 304, 404, 500])
    async def test_any_status(self, server, connect, status):
        """Every status but a redirect is an answer, HTTP 300 too."""
        body = b"" if status in (204, 304) else b"{}"
        server.script = in_turn(content(body, status, x_thing="seen"))

        answer = await connect(MANNCO).request("GET", "/")

        assert (answer.status, answer.body, answer.headers["x-thing"]) == (status, body, "seen")

    async def test_no_cookies(self, server, connect):
        """A cookie that a provider sets for one caller is not sent for the next."""
        server.script = in_turn(as_json({}, set_cookie="session=one"))
        transport = connect(MANNCO)

        for _ in range(2):
            await transport.request("GET", "/")

        assert server.requests[1].header("cookie") is None

    async def test_environment(self, server, connect, monkeypatch):
        """No proxy of the environment sees a request."""
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)

        assert (await connect(MANNCO).request("GET", "/")).status == 200


class TestFailures:
    """Each way to fail has its kind, by whether the provider can have acted."""

    async def test_no_server(self, failure_of, clock, unused_tcp_port):
        """Without a connection the provider never saw the request."""
        transport = Transport(MANNCO, f"http://127.0.0.1:{unused_tcp_port}", ssl.create_default_context(), clock)

        async with transport:
            failure = await failure_of(transport.request("GET", "/"))

        assert failure.kind is FailureKind.UNREACHABLE

    async def test_handshake_cancelled(self, failure_of, clock):
        """A caller cancelled during the TLS handshake leaves no connection behind."""
        begun, gone = asyncio.Event(), asyncio.Event()

        async def listen(reader, writer):
            await reader.read(1)
            begun.set()
            await reader.read()
            gone.set()
            writer.close()

        listener = await asyncio.start_server(listen, "127.0.0.1", 0)
        url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        async with listener, Transport(MANNCO, url, ssl.create_default_context(), clock) as transport:
            asking = asyncio.create_task(transport.request("GET", "/"))
            await begun.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await asyncio.wait_for(gone.wait(), 30)

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            (drop, FailureKind.LOST),
            (truncated(b'{"a":', missing=5), FailureKind.LOST),
            (verbatim(b"SSH-2.0-OpenSSH_9.6\r\n"), FailureKind.LOST),
            (verbatim(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000), FailureKind.LOST),
            (runs_out(hang), FailureKind.TIMED_OUT),
            (runs_out(drip(0.02)), FailureKind.TIMED_OUT),
            (runs_out(begun(b"HTTP/1.1 102 Wait\r\n\r\n")), FailureKind.TIMED_OUT),
            (content(b"x" * 5_000), FailureKind.TOO_LARGE),
            (as_gzip(bytes(10_000_000)), FailureKind.TOO_LARGE),
            (content(gzip.compress(b"{}")[:-5], content_encoding="gzip"), FailureKind.NONSENSE),
        ],
    )
    async def test_kinds(self, server, connect, failure_of, reply, kind):
        """A failure after the request was sent never counts as unsent."""
        server.script = in_turn(reply)

        failure = await failure_of(connect(MANNCO, read=3_600.0, body=4_096).request("GET", "/"))

        assert failure.kind is kind
        assert failure.provider is MANNCO

    async def test_body_of_8_mib(self, server, connect, failure_of):
        """A decoded body of 8 MiB is accepted; with one byte more it is refused."""
        server.script = in_turn(as_gzip(bytes(8 * 2**20)), as_gzip(bytes(8 * 2**20 + 1)))

        transport = connect(MANNCO)

        response = await transport.request("GET", "/")
        failure = await failure_of(transport.request("GET", "/"))

        assert len(response.body) == 8 * 2**20
        assert failure.kind is FailureKind.TOO_LARGE

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_redirects(self, server, connect, failure_of, status):
        """No redirect is followed, not even to the same server, nor is its body waited for."""
        server.script = in_turn(
            verbatim(f"HTTP/1.1 {status} X\r\nLocation: /other\r\nContent-Length: 9\r\n\r\n".encode())
        )

        failure = await failure_of(connect(MANNCO).request("GET", "/"))

        assert (failure.kind, failure.http_status) == (FailureKind.REDIRECTED, status)
        assert len(server.requests) == 1

    async def test_header_that_cannot_be_sent(self, server, connect, failure_of):
        """A key with a line break in it never leaves, and is not quoted."""
        failure = await failure_of(connect(MANNCO).request("GET", "/", headers={"api-key": "ap_secret\r\nX: y"}))

        assert (failure.kind, failure.place) == (FailureKind.UNREACHABLE, "request")
        assert server.requests == []

    async def test_closed_transport(self, server, connect, failure_of):
        """Closing ends what is under way as lost, and takes nothing new."""
        server.script = in_turn(hang)
        transport = connect(MANNCO)
        waiting = asyncio.create_task(failure_of(transport.request("GET", "/")))
        await until(lambda: server.requests)

        await transport.aclose()

        assert (await waiting).kind is FailureKind.LOST
        assert (await failure_of(transport.request("GET", "/"))).kind is FailureKind.UNREACHABLE
        assert len(server.requests) == 1


class TestConnections:
    """Connections are used again, bounded, and given back."""

    async def test_reuse(self, server, connect):
        """Successive requests share a connection, but a fresh one opens its own."""
        transport = connect(MANNCO)
        for fresh in (False, False, True):
            await transport.request("GET", "/", fresh=fresh)

        assert [request.connection for request in server.requests] == [1, 1, 2]

    async def test_bounds(self, server, connect):
        """There are never more connections than allowed."""
        server.script = in_turn(after(0.02, as_json({})))
        transport = connect(MANNCO, connections=5, idle_connections=5)

        await asyncio.gather(*(transport.request("GET", "/") for _ in range(30)))

        assert server.most_open == 5

    async def test_closed_while_idle(self, server, connect):
        """An idle connection that the server has closed is replaced without the caller noticing."""
        transport = connect(MANNCO)
        for _ in range(5):
            await transport.request("GET", "/")
            server.hang_up()
            await until(lambda: server.open_connections == 0)

        assert server.connections == 5

    async def test_idle_too_long(self, server, connect):
        """Connections that idled too long are closed, not used again."""
        server.script = in_turn(after(0.02, as_json({})))
        transport = connect(MANNCO, idle=0.05)
        await asyncio.gather(*(transport.request("GET", "/") for _ in range(3)))
        await asyncio.sleep(0.1)

        await transport.request("GET", "/")

        assert server.connections == 4
        await until(lambda: server.open_connections == 1)

    @pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
    async def test_cancelled_callers(self, clock, encrypted):
        """After hundreds of cancelled requests the next are served, and no connection is left."""
        chance = random.Random(7)  # noqa: S311 -- the same storm each time
        replies = (*[as_json({"a": "b" * 1_000})] * 20, drop)
        tls = server_tls() if encrypted else None
        limits = Limits(connections=8, idle_connections=2)
        outcomes: Counter[object] = Counter()
        async with (
            Loopback(lambda _: after(chance.choice((0, 0.005, 0.02)), chance.choice(replies)), tls=tls) as server,
            Transport(MANNCO, server.url, ssl.create_default_context(cafile=CERTIFICATE), clock, limits) as transport,
        ):

            async def ask():
                try:
                    async with asyncio.timeout(chance.choice((0, 0.001, 0.004, 0.008, 0.02, 0.05, 60))):
                        outcomes[(await transport.request("GET", "/", fresh=chance.random() < 0.2)).status] += 1
                except (TimeoutError, ProviderError) as error:
                    outcomes[type(error)] += 1

            for _ in range(10):
                await asyncio.gather(*(ask() for _ in range(50)))
            assert min(outcomes[200], outcomes[TimeoutError]) > 50

            server.script = in_turn(as_json({}))
            after_storm = await asyncio.gather(*(transport.request("GET", "/", fresh=True) for _ in range(16)))

            assert [response.status for response in after_storm] == [200] * 16
            await until(lambda: server.open_connections <= 2)
            await transport.aclose()
            await until(lambda: server.open_connections == 0)

    async def test_waiting_requests_cancelled(self, server, connect):
        """Connections that were kept for waiting requests are closed if these are cancelled."""
        writers = []
        all_came = asyncio.Event()

        async def together(writer):
            writers.append(writer)
            if len(writers) == 8:
                for each in writers:  # in one burst: the requests end, and the waiting ones are woken, at once
                    each.write(as_json({}).data)
                all_came.set()
            await all_came.wait()
            return True

        server.script = lambda _: together
        transport = connect(MANNCO, connections=8, idle_connections=1)
        answered = []

        async def ask():
            answered.append(await transport.request("GET", "/"))
            if len(answered) == 8:  # the waiting requests have been woken and have not run yet
                for waiting in asking[8:]:
                    waiting.cancel()

        asking = [asyncio.create_task(ask()) for _ in range(16)]

        await asyncio.gather(*asking, return_exceptions=True)

        assert [task.cancelled() for task in asking] == [False] * 8 + [True] * 8
        await until(lambda: server.open_connections == 1)


async def test_untrusted(clock, failure_of):
    """With an untrusted certificate no request is sent."""
    async with (
        Loopback(in_turn(as_json({})), tls=server_tls()) as server,
        Transport(MANNCO, server.url, ssl.create_default_context(), clock) as transport,
    ):
        assert (await failure_of(transport.request("GET", "/"))).kind is FailureKind.UNREACHABLE
        assert server.requests == []


class TestSecrecy:
    """Secrets stay on the wire."""

    async def test_logs(self, server, connect, failure_of, caplog):
        """No logger of ours or of httpx prints a query or a header, whether a request succeeds or fails."""
        caplog.set_level(logging.DEBUG)
        replies = (as_json({}), drop, redirect("/?token=CANARY4"), content(b"\x1f\x8bx"), runs_out(hang))
        server.script = in_turn(*replies)
        transport = connect(MANNCO)
        query, headers = [("tradeUrl", "CANARY1")], {"api-key": "CANARY2"}
        await transport.request("GET", "/path", query=query, headers=headers)
        for _ in replies[1:]:
            await failure_of(transport.request("GET", "/path", query=query, headers=headers))
        await failure_of(transport.request("GET", "/path", headers={"api-key": "CANARY3\n"}))

        assert "CANARY" not in caplog.text
        assert "provider answered provider=mannco method=GET path=/path status=200 bytes=2" in caplog.text

    async def test_exceptions(self, server, connect):
        """No exception of httpx, which may quote a header or an address, is chained to ours."""
        server.script = in_turn(drop)
        transport = connect(MANNCO)
        for headers in ({"api-key": "CANARY"}, {"api-key": "CANARY\n"}):
            with pytest.raises(ProviderError) as caught:
                await transport.request("GET", "/", query=[("t", "CANARY")], headers=headers)

            assert (caught.value.__cause__, caught.value.__context__) == (None, None)
            assert "CANARY" not in repr(caught.value)


async def test_unexpected_places(connect, caplog):
    """An unexpected place is logged once, for all indexes, and no provider can fill the log with ever new ones."""
    transport = connect(ProviderName.ASSETPAY)
    for number in range(5_000):
        transport.note_unexpected(f"items[{number}].wear")
        transport.note_unexpected(f"place_{number}")

    assert len(caplog.records) == 200
    assert caplog.text.count("unexpected answer provider=assetpay place=items[].wear") == 1
