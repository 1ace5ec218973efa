"""Standard error as operators have it: whatever it is, the log neither holds the program up nor stops it."""

import fcntl
import json
import logging
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.observability import logs
from bot.observability.logs import QueueHandler
from bot.observability.stderr import Stderr
from tests.support.command_line import GOOD, ROOT, SERVING, configure

PREPARED = """
import asyncio, logging, os, resource, signal, sys, time
from bot.observability.logs import configure_logging, dropped_records
log = logging.getLogger("bot.desk")
def told(text):
    print(text, flush=True)
numbers = iter(range(1, 1_000_000))
def fill():
    before = dropped_records()
    while dropped_records() == before:
        log.info("%d %s", number := next(numbers), "x" * 1000)
    return number
async def until(check):
    while not check():
        await asyncio.sleep(0.01)
"""


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    configure(GOOD)


@contextmanager
def serving(
    body: str, *, stderr: Any, stdout: Any = subprocess.PIPE, **environ: str
) -> Iterator[subprocess.Popen[str]]:
    """Run ``skindesk run`` with another body of ``bot.app.serve``; kill it at the end of the block."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SKINDESK_")}
    program = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-c", PREPARED + SERVING.format(body=textwrap.indent(textwrap.dedent(body), "    ").strip())],
        env=inherited | {"PYTHONPATH": str(ROOT)} | environ,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        text=True,
    )
    with program:
        try:
            yield program
        finally:
            program.kill()


@contextmanager
def pipe() -> Iterator[tuple[Any, int]]:
    """Yield both ends of a pipe: a reader and the number of the end to write to."""
    reader, writer = os.pipe()
    with closing(os.fdopen(reader)) as lines:
        try:
            yield lines, writer
        finally:
            os.close(writer)


def told(program: subprocess.Popen[str]) -> str:
    """Return the program's next line on stdout."""
    assert program.stdout is not None
    return program.stdout.readline().strip()


def go_on(program: subprocess.Popen[str]) -> None:
    assert program.stdin is not None
    program.stdin.close()


@pytest.mark.parametrize("non_blocking", [False, True])
def test_pipe_not_read(non_blocking: bool) -> None:  # noqa: FBT001 -- a parameter
    """The event loop runs on while the pipe is full; once it is read, errors are there and the dropped ones counted."""
    body = """
        configure_logging("info", "json")  # as at a reload
        fill()
        log.error("important")
        told(fill())
        await asyncio.to_thread(sys.stdin.read)
        await until(lambda: logging.getLogger().handlers[0].queue._waiting == 0)
        told(dropped_records())
        return 0
    """
    reader, writer = os.pipe()
    if non_blocking:
        fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
    with serving(body, stderr=writer) as program, os.fdopen(reader) as lines:
        os.close(writer)
        logged = int(told(program))
        go_on(program)
        messages = [json.loads(line)["message"] for line in lines]
        dropped = int(told(program))
        assert program.wait() == 0

    assert 4_000 > logged > 2_000  # 3 MiB of lines, and 64 KiB in the pipe
    assert messages.count("important") == 1
    told_of: list[int | None] = []
    for message in messages:
        number, _, what = message.partition(" ")
        if what == "log records dropped":
            told_of += [None] * int(number)
        elif message != "important":
            told_of.append(int(number))
    assert (len(told_of), told_of.count(None)) == (logged, dropped)
    assert [number for place, number in enumerate(told_of, 1) if number not in (None, place)] == []


def test_end_with_a_pipe_not_read() -> None:
    """A full pipe does not keep a program from ending: by itself, and if it hangs, by the clock of its stop."""
    hanging = """
        fill()
        os.kill(os.getpid(), signal.SIGTERM)
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass
    """
    for body in ("fill()\nreturn 0", hanging):
        with pipe() as (_, writer), serving(body, stderr=writer) as program:
            assert program.wait(timeout=30) == 0


def test_end_with_lines_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last lines are out before the program ends, if standard error takes them within a moment."""
    monkeypatch.setattr(logs, "_FLUSH_WITHIN", 60.0)
    readable, taken = threading.Event(), bytearray()

    class Slow(Stderr):
        def write(self, data: memoryview) -> int:
            readable.wait()
            taken.extend(data)
            return len(data)

    handler = QueueHandler(Slow())
    handler.emit(logging.makeLogRecord({"msg": "last", "levelno": logging.INFO}))
    threading.Timer(0.1, readable.set).start()
    handler.flush()

    assert taken == b"last\n"


def test_disk_full(tmp_path: Path) -> None:
    """What a full disk did not take is written once there is space."""
    body = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY))
        for number in range(10):
            log.info("line %d", number)
        await until(lambda: os.fstat(2).st_size == 200)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await until(lambda: os.fstat(2).st_size > 200)
        return 0
    """
    with (tmp_path / "log").open("w") as file, serving(body, stderr=file) as program:
        assert program.wait(timeout=30) == 0

    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.partition("bot.desk ")[2] for line in lines] == [f"line {number}" for number in range(10)]


def test_closed() -> None:
    """Without a standard error the program runs, and no file or connection takes its number."""
    body = """
        log.error("nowhere")
        told(os.readlink("/proc/self/fd/2"))
        told(os.open("config.toml", os.O_RDONLY) > 2)
        return 0
    """
    starting = f"import os; os.close(2); os.execv({sys.executable!r}, [{sys.executable!r}, *os.sys.argv[1:]])"
    program = PREPARED + SERVING.format(body=textwrap.indent(textwrap.dedent(body), "    ").strip())
    ended = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", starting, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (ended.returncode, ended.stdout) == (0, "/dev/null\nTrue\n")


@pytest.mark.parametrize("style", ["text", "json"])
def test_journal(style: str) -> None:
    """In the journal each line begins with its priority; a stream that is not the journal gets none."""
    body = """
        for level in (10, 20, 25, 30, 40, 50):
            log.log(level, "two\\nlines")
        return 0
    """
    for is_journal in (True, False):
        with pipe() as (lines, writer):
            found = os.fstat(writer)
            stream = f"{found.st_dev}:{found.st_ino if is_journal else 7}"
            settings = {"SKINDESK_OBSERVABILITY__LOG_FORMAT": style, "SKINDESK_OBSERVABILITY__LOG_LEVEL": "debug"}
            with serving(body, stderr=writer, JOURNAL_STREAM=stream, **settings) as program:
                assert program.wait() == 0
            os.set_blocking(lines.fileno(), False)
            written = [line for line in lines if "lines" in line]

        prefixes = [re.match(r"(?:<(\d)>)?(?:\d{4}-|\{)", line) for line in written]
        expected = [*"766432"] if is_journal else [None] * 6
        assert [prefix and prefix[1] for prefix in prefixes] == expected


def test_rotated(tmp_path: Path) -> None:
    """After a rename and SIGUSR1 the log goes to a new file of the same mode, and so does stdout if it was the same."""
    log, rotated = tmp_path / "log", tmp_path / "log.1"
    waiting = """
        log.info("first")
        await until(lambda: os.path.exists("log.1"))
        os.kill(os.getpid(), signal.SIGUSR1)
        log.info("second")
        await until(lambda: os.path.exists("log") and os.path.getsize("log"))
        print("third", flush=True)
        return 0
    """
    with log.open("a") as file:
        log.chmod(0o640)
        with serving(waiting, stderr=file, stdout=file) as program:
            while not log.stat().st_size:
                assert program.poll() is None
                time.sleep(0.01)
            log.rename(rotated)
            assert program.wait(timeout=30) == 0

    assert re.fullmatch(r"\S+ INFO bot.desk first\n", rotated.read_text())
    assert re.fullmatch(r"\S+ INFO bot.desk second\nthird\n", log.read_text())
    assert oct(log.stat().st_mode)[-3:] == "640"


@pytest.mark.parametrize("obstacle", ["os.mkdir('log')", "os.symlink('other', 'log')", "os.mkfifo('log')"])
def test_not_rotated(tmp_path: Path, obstacle: str) -> None:
    """If the path cannot be opened again, or is no file of its own, the old file is kept and says so."""
    body = f"""
        os.rename("log", "log.1")
        {obstacle}
        os.kill(os.getpid(), signal.SIGUSR1)
        log.info("still here")
        await until(lambda: "still here" in open("log.1").read())
        return 0
    """
    with (tmp_path / "log").open("a") as file, serving(body, stderr=file) as program:
        assert program.wait(timeout=30) == 0

    assert "ERROR bot.observability.logs log file not opened again (" in (tmp_path / "log.1").read_text()
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("command", ["run", "check", "demo"])
def test_nothing_to_rotate(command: str) -> None:
    """SIGUSR1 ends no command at any time, and does nothing if standard error is no file."""
    program = """
import os, sys, types
class Signalling:
    def find_spec(self, name, *_):
        os.kill(os.getpid(), signal.SIGUSR1)
import signal
from bot.__main__ import main
sys.meta_path.insert(0, Signalling())
sys.modules["bot.app"] = app = types.ModuleType("bot.app")
async def serve(settings, **_):
    os.kill(os.getpid(), signal.SIGUSR1)
    return 0
app.serve = serve
sys.modules["bot.demo.runner"] = runner = types.ModuleType("bot.demo.runner")
runner.run_demo = lambda *_: os.kill(os.getpid(), signal.SIGUSR1) or 0
sys.exit(main(sys.argv[1:]))
"""
    options = ["--offline"] if command == "check" else []
    ended = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", program, command, *options],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (ended.returncode, ended.stderr if command != "check" else "") == (0, "")
