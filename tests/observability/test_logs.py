"""Logs: no secret gets out, however it gets into a record."""

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
"""Any text, and text made of the parts that redaction searches for."""
REGISTERED = 'pass"word\\/+é&=1'


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the configuration of logging."""
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
            json.dumps({"tradeUrl": TRADE_URL}),
            json.dumps({"body": json.dumps({"token": CANARY})}),
            json.dumps({"a": json.dumps({"b": json.dumps({"trade_token": CANARY})})}),
            TRADE_URL.replace("=", "&#61;"),
            TRADE_URL.replace("=", "\\u003d"),
            TRADE_URL.replace("=", "\uff1d"),
            TRADE_URL.replace("token", "to\u200bken"),
            TRADE_URL.replace("token", "%74oken"),
            f"token %3D {CANARY}",
            f"{{'trade_token': '{CANARY}'}}",
            f"[('token', '{CANARY}')]",
            f"Authorization: Bearer {CANARY}",
            f"{{'Authorization': 'Bot {CANARY}'}}",
            f"(b'authorization', b'Bearer {CANARY}')",
            f"{{'apiKey': '{CANARY}'}}",
            f"X-CLIENT-SECRET: {CANARY}",
            f"client_secret='{CANARY} {CANARY}'",
            f'{{"content":{{"jwt":"{CANARY}"}}}}',
            f"shopid=1&sign={CANARY}",
            f"code={CANARY}",
            f'"code": "{CANARY}"',
            f"tradeCode={CANARY}",
            f"[('code', '{CANARY}')]",
            f"POST https://discord.com/api/v10/webhooks/1/{CANARY}/messages/@original",
            f"key ap_{CANARY}",
            f"logged in with {BOT_TOKEN}",
        ],
    )
    def test_secret(self, text: str) -> None:
        """Text that is named or shaped like a secret is masked in every encoding."""
        masked = redact(text)

        assert "CANARY" not in masked
        assert MASK in masked

    @pytest.mark.parametrize("text", [f"got {JWT}", f"[{JWT}]", JWT.replace("eyJhbGci", "ew0KICJh"), JWT[:-30]])
    def test_jwt(self, text: str) -> None:
        """A JWT is masked, even a part of one."""
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
        """A line without a secret is unchanged."""
        assert redact(text) == text

    @given(AROUND, AROUND)
    def test_anywhere(self, before: str, after: str) -> None:
        """A trade token is masked in any surrounding text."""
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
        """A value that is part of almost any line is not masked."""
        register_secret("")
        register_secret("a")

        assert redact("a cat") == "a cat"

    @pytest.mark.parametrize(
        "text",
        ["token" * 200_000, 'token="' + "\\" * 1_000_000, "eyJ" * 300_000, "a." * 500_000, "%25" * 300_000,
         "token" + " " * 1_000_000, "&#" + "1" * 100_000 + ";"],
        ids=range(7),
    )  # fmt: skip
    def test_long(self, text: str) -> None:
        """The time for a hostile megabyte is linear: the test ends."""
        assert isinstance(redact(text), str)


class TestPlaces:
    @pytest.mark.parametrize(
        ("message", "arguments", "extra"),
        [
            (f"asked {TRADE_URL}", (), None),
            ("asked %s", (TRADE_URL,), None),
            ("asked %r", ([{"headers": {"Authorization": f"Bearer {CANARY}"}}],), None),
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

    @pytest.mark.parametrize("of_outside", ["word ", "\u0301\u0327", f" token={CANARY} {CANARY}"])
    def test_megabyte(self, style: str, of_outside: str) -> None:
        """A record that is far too long is cut between words, before it is redacted; the error's type stays."""
        text = "token=" + CANARY + of_outside * (2**20 // len(of_outside))
        line = formatted(style, "asked %s", text, extra={"answer": text}, exc_info=(OSError, OSError(text), None))

        assert len(line) < 200_000
        assert "OSError" in line
        assert "token=CANARY" not in line

    def test_exceptions(self, style: str) -> None:
        """A traceback is redacted, with its causes, contexts, notes and groups."""
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


class TestLines:
    @given(st.text(), st.text())
    def test_one_line(self, message: str, value: str) -> None:
        """A record is one printable line: it cannot forge another one or control a terminal."""
        for style in ("text", "json"):
            line = formatted(style, message, extra={"value": value})

            assert line.isprintable()
            assert style == "text" or json.loads(line)["logger"] == "desk"

    def test_text(self) -> None:
        """The line has time in UTC, level, logger, message and extras."""
        line = formatted("text", "resend decided id=%d\nby=%s", 41, "7", extra={"verdict": "not now", "n": 1})

        assert re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO desk resend decided id=41\\nby=7 verdict='not now' n=1", line
        )

    def test_json(self) -> None:
        """Numbers stay numbers, and no extra replaces a standard field."""
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
        """Records go to stderr once, even if logging is configured twice."""
        configure_logging("debug", "text")
        configure_logging("warning", style)
        logging.getLogger("desk").info("quiet")
        logging.getLogger("desk").warning("asked %s", TRADE_URL)

        output = capsys.readouterr()
        assert (output.out, output.err.count("\n"), "asked" in output.err, CANARY in output.err) == ("", 1, True, False)

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
        """Libraries that log addresses, headers or events stay quiet."""
        configure_logging("debug", "text")
        assert logging.getLogger(name).getEffectiveLevel() == level

        configure_logging("error", "text")
        assert logging.getLogger(name).getEffectiveLevel() == logging.ERROR

    def test_record_that_cannot_be_written(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Of a record that cannot be formatted only the logger's name is shown."""

        class Broken:
            def __str__(self) -> str:
                raise RuntimeError(CANARY)

        record = logging.makeLogRecord({"name": "desk", "msg": CANARY, "value": Broken()})
        handler = StderrHandler()
        handler.setFormatter(RedactingFormatter())
        handler.emit(record)

        output = capsys.readouterr().err
        assert "a record of desk could not be written" in output
        assert "CANARY" not in output

    @pytest.mark.parametrize("closed", [True, False])
    def test_no_stderr(self, closed: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 -- a parameter
        """A closed or missing stderr raises nothing."""
        stream = io.StringIO()
        stream.close()
        monkeypatch.setattr(sys, "stderr", stream if closed else None)

        StderrHandler().emit(logging.makeLogRecord({"msg": "x"}))

    def test_uncaught(self) -> None:
        """Uncaught exceptions of threads, finalisers and the program, and warnings, are redacted too."""
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
    """A reference is six random hex characters."""
    references = {reference() for _ in range(20)}

    assert len(references) > 1
    assert all(re.fullmatch(r"[0-9a-f]{6}", one) for one in references)
