"""Signals end a command in an orderly way at any moment."""

import signal
from pathlib import Path

import pytest

from tests.support.command_line import GOOD, configure, serving, skindesk

SIGNALLED = """
import os, sys
class Signalling:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Signalling())
from bot.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
"""The program; it gets a signal when it loads a module."""


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["pydantic", "bot.checks.machine", "bot.app"])
def test_stopped_while_loading(module: str, number: signal.Signals) -> None:
    """A signal while modules are loaded stops the program."""
    configure(GOOD)
    ended = skindesk("run", program=("-c", SIGNALLED.format(number=int(number), module=module)))

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_opening(number: signal.Signals) -> None:
    """A signal before the app handles signals closes everything that is open."""
    configure(GOOD)
    ended = serving(
        f"""
    import asyncio, os
    os.kill(os.getpid(), {int(number)})
    try:
        await asyncio.sleep(30)
    finally:
        print("closed", file=sys.stderr)
"""
    )

    assert (ended.returncode, ended.stderr) == (0, "closed\n")


def test_stopped_while_a_thread_works() -> None:
    """A busy thread does not delay a stop."""
    configure(GOOD)
    ended = serving(
        """
    import asyncio, os, signal, time
    asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGTERM)
    await asyncio.to_thread(time.sleep, 30)
"""
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def test_hung_up_while_starting() -> None:
    """SIGHUP during a start waits until the app handles it."""
    configure(GOOD)
    ended = serving(
        """
    import os, signal
    os.kill(os.getpid(), signal.SIGHUP)
    return 0 if signal.SIGHUP in signal.sigpending() else 1
"""
    )

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("line", "module"),
    [
        (["check", "--offline"], "bot.checks.machine"),
        (["backup", "copy.db"], "bot.storage.sqlite.maintenance.backup"),
        (["restore", "copy.db"], "bot.storage.sqlite.maintenance.restore"),
    ],
    ids=lambda each: each if isinstance(each, str) else " ".join(each),
)
def test_interrupted(line: list[str], module: str) -> None:
    """Ctrl+C ends a command with one line and exit code 130."""
    configure(GOOD)
    if line[0] == "restore":
        Path(line[1]).touch()
    ended = skindesk(*line, program=("-c", SIGNALLED.format(number=int(signal.SIGINT), module=module)))

    assert (ended.returncode, ended.stderr) == (130, "skindesk: interrupted\n")
