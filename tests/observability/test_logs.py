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

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.domain.secrets import TradeToken
from bot.observability import logs
from bot.observability.logs import (
    RedactingFormatter,
    RedactingJsonFormatter,
    StderrHandler,
    configure_logging,
    reference,
)

ROOT = Path(__file__).parent.parent.parent
CANARY = "CANARY_x"
TRADE_URL = f"https://steamcommunity.com/tradeoffer/new/?partner=1&token={CANARY}"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3NjU2MTE5ODAifQ.c2lnbmF0dXJlLWNhbmFyeQ"
BOT_TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAw.GabcdE.CANARY_x-abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Restore the configuration of logging."""
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

    @given(
        st.dictionaries(
            st.sampled_from(
                ["a", "n", "time", "level", "extra_level", "extra_extra_level", "exception", "token", "code"]
            ),
            st.text("abcXYZ019._-", min_size=1) | st.integers() | st.booleans() | st.none(),
        ),
        st.sampled_from([None, OSError("failed")]),
    )
    def test_same_fields(self, extra: dict[str, object], error: OSError | None) -> None:
        """JSON has each field of the text with the same value, whatever its name."""
        exception = error and (OSError, error, None)
        text = formatted("text", "both", extra=extra, exc_info=exception)
        entry = json.loads(formatted("json", "both", extra=extra, exc_info=exception))
        keys = list(entry)[4 : 4 + len(extra)]

        fields = zip(keys, extra, strict=True)
        shown = "".join(f" {name}={entry[key]}" for key, name in fields if key.endswith(name))
        details = "" if error is None else f"\\n{entry['exception']}"
        assert text[24:] == f" {entry['level'].upper()} {entry['logger']} {entry['message']}{shown}{details}"
        assert len(entry) == 4 + len(extra) + (error is not None)


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
