"""The command line: arguments to settings, settings to a run, a run to an exit code."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from bot.config import Settings
    from bot.config_loading import Problem

_LINGER_SECONDS = 0.5
"""Seconds that the event loop may take to end once everything is closed."""

# Everything but the parser is imported by the command that needs it: --help and check answer at once, and run
# reports a bad configuration without having loaded a Discord client.


def run() -> None:
    """Run as the console script ``skindesk``."""
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that ``argv`` names and return the exit code. SystemExit for ``--help`` and a bad line."""
    arguments = _parser().parse_args(argv)
    # Before pydantic is loaded: it would read the entry points of everything that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except KeyboardInterrupt:
        print("skindesk: interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skindesk", description="The Discord bot of a support desk for Steam item trades.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser("run", help="run the bot until SIGTERM or SIGINT", allow_abbrev=False)
    _add_config(command)
    command.set_defaults(command=_run)

    command = commands.add_parser(
        "demo", help="show the bot in the browser, without Discord or a provider", allow_abbrev=False
    )
    command.add_argument("--port", type=_port, metavar="N", help="the page's port (default: one that is free)")
    command.add_argument("--no-browser", action="store_true", help="print the page's address, open nothing")
    command.set_defaults(command=_demo)

    command = commands.add_parser("check", help="say everything that keeps the bot from starting", allow_abbrev=False)
    _add_config(command)
    command.add_argument("--offline", action="store_true", help="ask nobody: look at the configuration and the disk")
    command.add_argument("--json", action="store_true", help="answer with one JSON object on stdout")
    command.set_defaults(command=_check)

    command = commands.add_parser(
        "backup", help="copy the database, verified, while the bot runs or not", allow_abbrev=False
    )
    command.add_argument("destination", type=Path, metavar="DEST", help="a new file, or a folder for a dated one")
    _add_config(command)
    command.set_defaults(command=_backup)

    command = commands.add_parser("restore", help="put a copy in the place of the database", allow_abbrev=False)
    command.add_argument("source", type=Path, metavar="SRC", help="what skindesk backup has made")
    _add_config(command)
    command.set_defaults(command=_restore)
    return parser


def _add_config(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="a TOML file (default: config.toml, if it is there)"
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):  # noqa: PLR2004 -- a port
        raise argparse.ArgumentTypeError("should be 0 to 65535")
    return int(text)


class _ShowVersion(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 -- a quick --help

        try:
            number = version("skindesk")
        except PackageNotFoundError:
            number = "(not installed)"
        print(f"skindesk {number}")
        parser.exit()


def _run(arguments: argparse.Namespace) -> int:
    _listen_until_the_app_does()
    try:
        return _start(arguments)
    except KeyboardInterrupt:  # before the app listens for signals, or after it
        return ExitCode.OK


def _listen_until_the_app_does() -> None:
    """Let SIGTERM be what Ctrl+C is, and SIGHUP wait: a start takes a while, and an upgrade of the database longer.

    Otherwise either would kill the program, or be lost on it where it is the first process of a container.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    if hasattr(signal, "SIGHUP"):  # Windows has none
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def _start(arguments: argparse.Namespace) -> int:
    import gc  # noqa: PLC0415 -- a quick --help
    import logging  # noqa: PLC0415 -- a quick --help

    from bot.observability.logs import configure_logging, log_uncaught, reference  # noqa: PLC0415 -- a quick --help

    settings, problems = _load(arguments.config)
    if settings is None or problems:
        _list(problems)
        return ExitCode.CONFIG
    configure_logging(settings.observability.log_level, settings.observability.log_format)
    log_uncaught()
    log = logging.getLogger("bot")
    if not settings.providers_on:
        log.warning(_NO_PROVIDER)
    try:
        from bot.app import serve  # noqa: PLC0415 -- a quick --help
        from bot.config_loading import load_settings  # noqa: PLC0415 -- a quick --help

        gc.freeze()  # what is loaded stays for good: no pass of the garbage collector looks at it again
        return _run_to_the_end(serve(settings, load=lambda: load_settings(arguments.config, os.environ)))
    except Exception:
        log.critical("run failed reference=%s", reference(), exc_info=True)
        return ExitCode.FAILURE


def _run_to_the_end(serving: Coroutine[Any, Any, int]) -> int:
    """Run ``serving`` and return its exit code; leave with it where a thread holds up the end of the event loop.

    A thread that waits for a name server can be neither stopped nor left behind, and that may take a minute.
    """
    import asyncio  # noqa: PLC0415 -- a quick --help
    import threading  # noqa: PLC0415 -- a quick --help

    ended = threading.Event()

    def leave(code: int) -> None:
        if not ended.wait(_LINGER_SECONDS):
            os._exit(code)

    def linger(code: int) -> None:
        threading.Thread(target=leave, args=(code,), daemon=True).start()

    async def served() -> int:
        try:
            code = await serving
        except asyncio.CancelledError:  # by a signal, before the app listened
            linger(ExitCode.OK)
            raise
        linger(code)
        return code

    try:
        return asyncio.run(served())
    finally:
        ended.set()


def _demo(arguments: argparse.Namespace) -> int:
    from bot.observability.logs import configure_logging  # noqa: PLC0415 -- a quick --help

    configure_logging("error", "text")  # somebody may try the demo with their own trade URL
    try:
        from bot.demo.runner import run_demo  # noqa: PLC0415 -- simcord may be missing

        return run_demo(arguments.port, not arguments.no_browser)
    except ModuleNotFoundError as missing:
        module = (missing.name or "").partition(".")[0]
        if module in ("bot", "cogs"):
            raise
        print(f"The demo needs {module}: pip install 'skindesk[demo]' (or uv sync --extra demo)", file=sys.stderr)
        return ExitCode.UNAVAILABLE


def _check(arguments: argparse.Namespace) -> int:
    from bot.config_loading import ConfigurationInvalid, load_database_path  # noqa: PLC0415 -- a quick --help

    with suppress(ConfigurationInvalid):  # it will be among the findings
        _keep_temporary_files_beside(load_database_path(arguments.config, os.environ, read_only=True))
    from bot.checks.command import run_check  # noqa: PLC0415 -- a quick --help
    from bot.observability.logs import configure_logging  # noqa: PLC0415 -- a quick --help

    configure_logging("critical", "text")  # what went wrong is among the findings
    return run_check(arguments.config, os.environ, offline=arguments.offline, as_json=arguments.json)


def _backup(arguments: argparse.Namespace) -> int:
    def work(database: Path) -> int:
        from bot.maintenance import run_backup  # noqa: PLC0415 -- a quick --help

        return run_backup(database, arguments.destination)

    return _with_database(arguments.config, work)


def _restore(arguments: argparse.Namespace) -> int:
    def work(database: Path) -> int:
        from bot.maintenance import run_restore  # noqa: PLC0415 -- a quick --help

        return run_restore(arguments.source, database)

    return _with_database(arguments.config, work)


def _with_database(file: Path | None, work: Callable[[Path], int]) -> int:
    """Do ``work`` on the configuration's database, whatever else is wrong in the configuration."""
    from bot.config_loading import ConfigurationInvalid, load_database_path  # noqa: PLC0415 -- a quick --help
    from bot.observability.logs import configure_logging  # noqa: PLC0415 -- a quick --help

    configure_logging("error", "text")
    try:
        database = load_database_path(file, os.environ)
    except ConfigurationInvalid as invalid:
        _list(invalid.problems)
        return ExitCode.CONFIG
    _keep_temporary_files_beside(database)
    return work(database)


def _keep_temporary_files_beside(database: Path) -> None:
    """Have SQLite's temporary files in the database's folder, unless somebody has said where else.

    They are as large as the database where that is written anew: a small /tmp, or one in memory, has no room for them.
    SQLite looks for the variable once, when Python loads it: nothing that imports sqlite3 may be imported before.
    """
    os.environ.setdefault("SQLITE_TMPDIR", str(Path(os.path.realpath(database)).parent))


_NO_PROVIDER = "no provider is on: give one its credentials, or there is nothing to look up"


def _load(file: Path | None) -> tuple[Settings | None, tuple[Problem, ...]]:
    """Return the settings and what stands in the way of a start; no settings where the configuration is wrong."""
    from bot.config_loading import ConfigurationInvalid, load_settings  # noqa: PLC0415 -- a quick --help

    try:
        settings = load_settings(file, os.environ)
    except ConfigurationInvalid as invalid:
        return None, invalid.problems
    _keep_temporary_files_beside(settings.database.path)
    from bot.checks.machine import path_problems  # noqa: PLC0415 -- only now, see there

    return settings, path_problems(settings.database.path)


def _list(problems: tuple[Problem, ...]) -> None:
    print("SkinDesk cannot start with this configuration:", file=sys.stderr)
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)


if __name__ == "__main__":
    run()
