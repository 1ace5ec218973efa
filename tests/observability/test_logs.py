"""Logs: whatever carries a secret into a record, it does not come out."""

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.domain.secrets import TradeToken
from bot.observability import logs
from bot.observability.logs import (
    MASK,
    RedactingFormatter,
    RedactingJsonFormatter,
    StderrHandler,
    configure_logging,
    redact,
    reference,
    register_secret,
)

ROOT = Path(__file__).parent.parent.parent
CANARY = "CANARY_x"
TRADE_URL = f"https://steamcommunity.com/tradeoffer/new/?partner=1&token={CANARY}"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3NjU2MTE5ODAifQ.c2lnbmF0dXJlLWNhbmFyeQ"
BOT_TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAw.GabcdE.CANARY_x-abcdefghijklmnopqrstuvwxyz"
AROUND = st.text() | st.lists(
    st.sampled_from([*"=:'\"`\\,&;%> \n", "token", "code", "b'", "%3D", "&#61;", "Bearer ", "Authorization", "13"])
).map("".join)
"""Any text, and text of what redaction looks for."""
REGISTERED = 'pass"word\\/+é&=1'


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave logging as it was found."""
    monkeypatch.setattr(logs, "_registered", set())
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs._QUIET}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)


@pytest.fixture(params=["text", "json"])
def style(request: pytest.FixtureRequest) -> Literal["text", "json"]:
    name: Literal["text", "json"] = request.param
    return name


def formatted(style: str, message: object, *arguments: object, **more: Any) -> str:
    """Format a record as a handler would get it."""
    record = logging.getLogger("desk").makeRecord(
        "desk", logging.INFO, __file__, 1, message, arguments, more.get("exc_info"), extra=more.get("extra")
    )
    return (RedactingJsonFormatter() if style == "json" else RedactingFormatter()).format(record)


class TestRedact:
    @pytest.mark.parametrize(
        "text",
        [
            TRADE_URL,
            f"<{TRADE_URL}>",
            quote(TRADE_URL, safe=""),
            quote(quote(TRADE_URL, safe=""), safe=""),
            quote_plus(json.dumps({"tradeUrl": TRADE_URL})),
            json.dumps({"tradeUrl": TRADE_URL}),
            json.dumps({"body": json.dumps({"token": CANARY})}),
            json.dumps({"a": json.dumps({"b": json.dumps({"trade_token": CANARY})})}),
            TRADE_URL.replace("=", "&#61;"),
            TRADE_URL.replace("=", "&#x3d;"),
            TRADE_URL.replace("=", "\\u003d"),
            TRADE_URL.replace("=", "\\x3d"),
            TRADE_URL.replace("=", "\uff1d"),
            TRADE_URL.replace("token", "to\u200bken"),
            TRADE_URL.replace("token", "%74oken"),
            f"TOKEN : {CANARY}",
            f"token %3D {CANARY}",
            f"{{'trade_token': '{CANARY}'}}",
            f"[('token', '{CANARY}')]",
            f"Authorization: {CANARY}",
            f"Authorization: Bearer {CANARY}",
            f"{{'Authorization': 'Bot {CANARY}'}}",
            f"(b'authorization', b'Bearer {CANARY}')",
            f"api-key: {CANARY}",
            f"{{'apiKey': '{CANARY}'}}",
            f"api_key={CANARY}",
            f"X-CLIENT-SECRET: {CANARY}",
            f"client_secret='{CANARY} {CANARY}'",
            f'{{"content":{{"jwt":"{CANARY}"}}}}',
            f"shopid=1&sign={CANARY}",
            f"code={CANARY}",
            f'"code": "{CANARY}"',
            f"tradeCode={CANARY}",
            "code=CANARY99",
            f"[('code', '{CANARY}')]",
            f"POST https://discord.com/api/v10/webhooks/1/{CANARY}/messages/@original",
            f"POST https://discord.com/api/v10/interactions/1/{CANARY}/callback",
            f"key ap_{CANARY}",
            f"logged in with {BOT_TOKEN}",
        ],
    )
    def test_secret(self, text: str) -> None:
        """What is named or shaped like a secret is masked, however it is encoded."""
        masked = redact(text)

        assert "CANARY" not in masked
        assert MASK in masked

    @pytest.mark.parametrize("text", [f"got {JWT}", f"[{JWT}]", JWT.replace("eyJhbGci", "ew0KICJh"), JWT[:-30]])
    def test_jwt(self, text: str) -> None:
        """A JWT is masked, also one that is cut short or begins otherwise."""
        assert "zdWIiOiI3" not in redact(text)
        assert "c2lnbmF0" not in redact(text)

    @pytest.mark.parametrize(
        "text",
        [
            "provider refused provider=assetpay code=13 key=INVALID_TRADEURL status=400 request=8c1f",
            'error {"error":{"code":1102,"key":"INVALID_TOKEN"}} status_code: 401 code=-7',
            "exit code==75 Discord error code: 50013",
            "AK-47 | Redline (Field-Tested) for 76561198000000000 at 10.75 USD",
            "/usr/lib/python3.11/site-packages/discord/app_commands/tree.py line 12",
            "https://api.assetpay.gg/secure/inventory?game=730&page=1&limit=50",
            "100% of résumés 🎉 &amp; %20 \\u0041",
            "resend decided id=41 verdict=approve by=123456789012345678 tokens=3 design=new barcode=x",
            "",
        ],
    )
    def test_no_secret(self, text: str) -> None:
        """A line without a secret stays as it is: error codes, keys, addresses and names can be read."""
        assert redact(text) == text

    @given(AROUND, AROUND)
    def test_anywhere(self, before: str, after: str) -> None:
        """A trade token does not show, whatever text stands around it."""
        assert CANARY not in redact(f"{before}token={CANARY} {after}")

    @pytest.mark.parametrize(
        "form",
        [REGISTERED, quote(REGISTERED), quote_plus(REGISTERED), json.dumps(REGISTERED), repr(REGISTERED)],
    )
    def test_registered(self, form: str) -> None:
        """A registered secret is masked by its value, in every spelling."""
        register_secret(REGISTERED)

        assert redact(f"x{form}x").strip('x"').strip("'") == MASK

    def test_registered_too_short(self) -> None:
        """A value so short that it stands in any line masks nothing."""
        register_secret("")
        register_secret("a")

        assert redact("a cat") == "a cat"

    @pytest.mark.parametrize(
        "text",
        ["token" * 200_000, "\\" * 1_000_000, 'token="' + "\\" * 1_000_000, "eyJ" * 300_000, "a" * 1_000_000,
         "a." * 500_000, "%25" * 300_000, "token" + " " * 1_000_000, "&#" + "1" * 100_000 + ";"],
        ids=range(9),
    )  # fmt: skip
    def test_long(self, text: str) -> None:
        """A hostile text of a megabyte takes time in proportion to its length: this ends."""
        assert isinstance(redact(text), str)


class TestPlaces:
    @pytest.mark.parametrize(
        ("message", "arguments", "extra"),
        [
            (f"asked {TRADE_URL}", (), None),
            ("asked %s", (TRADE_URL,), None),
            ("asked %(url)s", ({"url": TRADE_URL},), None),
            ("asked %r", ([{"headers": {"Authorization": f"Bearer {CANARY}"}}],), None),
            (ValueError(TRADE_URL), (), None),
            ("asked", (), {"url": TRADE_URL}),
            ("asked", (), {"token": CANARY}),
            ("asked", (), {"trade_code": f"{CANARY} code={CANARY}"}),
            ("asked", (), {"request": {"params": {"token": CANARY}, "urls": [TRADE_URL]}}),
            ("asked", (), {"body": f'{{"jwt":"{CANARY}"}}'.encode()}),
            ("asked %s", (TRADE_URL, "one too many"), None),
            ("token=%s", (TradeToken(CANARY),), {"secret": SecretStr(CANARY)}),
        ],
    )
    def test_in_a_record(self, style: str, message: object, arguments: tuple[object, ...], extra: Any) -> None:
        """Message, arguments and extras are redacted."""
        line = formatted(style, message, *arguments, extra=extra)

        assert "asked" in line or "token=" in line
        assert "CANARY" not in line

    def test_exceptions(self, style: str) -> None:
        """A traceback is there, with every cause, context, note and member of a group, and redacted."""
        line = ""
        try:
            try:
                try:
                    int(f"first token={CANARY}")
                except ValueError:
                    raise OSError(f"second api-key: {CANARY}")  # noqa: B904 -- a context is what is tested
            except OSError as error:
                third = ValueError(f"third {BOT_TOKEN}")
                third.add_note(f"noted {JWT}")
                raise ExceptionGroup(f"group code={CANARY}", [third]) from error
        except ExceptionGroup:
            line = formatted(style, "failed", exc_info=sys.exc_info())

        assert [word for word in ("first", "second", "third", "noted", "group", "Traceback") if word not in line] == []
        assert line.count("\n") == 0
        assert "CANARY" not in line
        assert JWT not in line

    def test_exception_that_cannot_be_printed(self, style: str) -> None:
        """An exception or argument that fails to print itself does not lose the record."""

        class Broken(Exception):
            def __str__(self) -> str:
                raise RuntimeError(CANARY)

        line = formatted(style, "failed %s", Broken(), exc_info=(Broken, Broken(), None))

        assert "failed" in line
        assert "CANARY" not in line


class TestLines:
    @given(st.text(), st.text())
    def test_one_line(self, message: str, value: str) -> None:
        """A record is one printable line, so nobody can forge another or write to a terminal."""
        for style in ("text", "json"):
            line = formatted(style, message, extra={"value": value})

            assert line.isprintable()
            assert style == "text" or json.loads(line)["logger"] == "desk"

    def test_text(self) -> None:
        """Time in UTC, level, logger, message and extras."""
        line = formatted("text", "resend decided id=%d\nby=%s", 41, "7", extra={"verdict": "not now", "n": 1})

        assert re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO desk resend decided id=41\\nby=7 verdict='not now' n=1", line
        )

    def test_json(self) -> None:
        """The same as fields; numbers stay numbers, and no extra replaces what every line has."""
        entry = json.loads(
            formatted("json", "two\nlines", extra={"n": 1, "code": 13, "level": "x", "at": None, "f": float("nan")})
        )

        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("time"))
        assert entry == {
            "level": "info",
            "logger": "desk",
            "message": "two\nlines",
            "n": 1,
            "code": 13,
            "extra_level": "x",
            "at": None,
            "f": "nan",
        }


class TestConfigured:
    def test_stderr(self, style: Literal["text", "json"], capsys: pytest.CaptureFixture[str]) -> None:
        """Records from the level on go to stderr once, however often logging is configured."""
        configure_logging("debug", "text")
        configure_logging("warning", style)
        logging.getLogger("desk").info("quiet")
        logging.getLogger("desk").warning("asked %s", TRADE_URL)

        told = capsys.readouterr()
        assert (told.out, told.err.count("\n"), "asked" in told.err, CANARY in told.err) == ("", 1, True, False)

    @pytest.mark.parametrize(
        ("name", "level"),
        [
            ("httpx", logging.WARNING),
            ("httpcore.http11", logging.WARNING),
            ("discord.http", logging.WARNING),
            ("aiohttp.access", logging.WARNING),
            ("aiosqlite", logging.WARNING),
            ("discord.gateway", logging.INFO),
        ],
    )
    def test_talkative_libraries(self, name: str, level: int) -> None:
        """Libraries that print addresses, headers or events when asked to talk are not asked to."""
        configure_logging("debug", "text")
        assert logging.getLogger(name).getEffectiveLevel() == level

        configure_logging("error", "text")
        assert logging.getLogger(name).getEffectiveLevel() == logging.ERROR

    def test_record_that_cannot_be_written(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A record that fails is named by its logger and shows nothing else."""

        class Broken:
            def __str__(self) -> str:
                raise RuntimeError(CANARY)

        record = logging.makeLogRecord({"name": "desk", "msg": CANARY, "value": Broken()})
        handler = StderrHandler()
        handler.setFormatter(RedactingFormatter())
        handler.emit(record)

        told = capsys.readouterr().err
        assert "a record of desk could not be written" in told
        assert "CANARY" not in told

    @pytest.mark.parametrize("closed", [True, False])
    def test_no_stderr(self, closed: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 -- a parameter
        """A stderr that is gone stops nothing."""
        stream = io.StringIO()
        stream.close()
        monkeypatch.setattr(sys, "stderr", stream if closed else None)

        StderrHandler().emit(logging.makeLogRecord({"msg": "x"}))

    def test_uncaught(self) -> None:
        """What Python prints by itself, of threads, finalisers, warnings and the program, is redacted too."""
        program = f"""
import threading, warnings
from bot.observability.logs import configure_logging, log_uncaught
configure_logging("info", "text")
log_uncaught()
class Dying:
    def __del__(self):
        raise ValueError("finaliser token={CANARY}")
def fail():
    raise ValueError("thread token={CANARY}")
Dying()
thread = threading.Thread(target=fail)
thread.start()
thread.join()
warnings.warn("warned token={CANARY}")
raise ValueError("program token={CANARY}")
"""
        ended = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )

        assert [re.findall(r"(\w+) token=", line)[-1] for line in ended.stderr.splitlines()] == [
            "finaliser",
            "thread",
            "warned",
            "program",
        ]
        assert CANARY not in ended.stderr


def test_reference() -> None:
    """A reference is six hex characters, and another one each time."""
    references = {reference() for _ in range(20)}

    assert len(references) > 1
    assert all(re.fullmatch(r"[0-9a-f]{6}", one) for one in references)
