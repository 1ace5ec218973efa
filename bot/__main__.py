"""The command line: parses arguments, runs a command and returns its exit code."""

from __future__ import annotations

import argparse
import faulthandler
import os
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.exit_codes import ExitCode
from bot.observability.stderr import Stderr, occupy_stderr, write_at_once
from bot.version import version

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from bot.config import Database
    from bot.config_loading import Problem

_LINGER_SECONDS = 0.5
"""Seconds that the event loop and the threads may take to end once everything is closed."""

_LEAVE_WITHIN = 4.7
"""Seconds after a signal in which ``run`` ends, whatever still runs."""

_INTERRUPT_WITHIN = 2.0
"""The same of the other commands, which have no callers to answer."""

_INTERRUPTED = "skindesk: interrupted"
_LEFT = "skindesk: left before everything was closed in order"

# Each command imports what it needs: --help and check answer at once, and run reports a bad configuration without
# loading a Discord client.


def run() -> None:
    """Run as the console script ``skindesk``."""
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in ``argv`` and return its exit code. Raise SystemExit for ``--help`` and a wrong line."""
    occupy_stderr()
    if hasattr(signal, "SIGUSR1") and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGUSR1, lambda *_: None)  # opens a log file again: without a handler it kills
    arguments = _parser().parse_args(argv)
    # Before pydantic is loaded: it would read the entry points of all installed packages.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    command: Callable[[argparse.Namespace], int] = arguments.command
    leaving = (_LEAVE_WITHIN, ExitCode.OK) if command is _run else (_INTERRUPT_WITHIN, ExitCode.INTERRUPTED)
    with _leaving_in_time(*leaving):
        try:
            code = command(arguments)
            print(end="", flush=True)
        except KeyboardInterrupt:
            print(_INTERRUPTED, file=sys.stderr)
            return ExitCode.INTERRUPTED
        except OSError as error:
            return _without_output(error)
        return code


def _without_output(error: OSError) -> ExitCode:
    """Return the exit code if stdout cannot be written. Raise any other error again."""
    try:
        print(flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python fails to flush it at its end
        if isinstance(error, BrokenPipeError):  # skindesk check | head: what reads the output has seen enough
            return ExitCode.INTERRUPTED
        print(f"skindesk: cannot write the output: {error.strerror}", file=sys.stderr)
        return ExitCode.CANNOT_CREATE
    raise error


@contextmanager
def _leaving_in_time(seconds: float, code: ExitCode) -> Iterator[None]:
    """Exit ``seconds`` after the first SIGINT or SIGTERM, unless the process has ended by then.

    The main thread may hear of a signal too late: inside a statement of SQLite, or while it waits for another thread.
    But Python also writes the signal to a socket at once, and a thread of its own reads that.
    """
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield  # Windows has none, and other threads may not handle signals
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def watch() -> None:
        with reader:
            while received := reader.recv(16):
                if not {signal.SIGINT, signal.SIGTERM}.isdisjoint(received):
                    time.sleep(seconds)
                    write_at_once(f"{_LEFT if code is ExitCode.OK else _INTERRUPTED}\n".encode())
                    os._exit(code)

    unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # for the thread, which handles none
    threading.Thread(target=watch, name="signals", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        writer.close()


def _exit_soon(code: int) -> None:
    """Exit soon, even if a thread that waits for a name server keeps the interpreter from ending."""

    def wait() -> None:
        time.sleep(_LINGER_SECONDS)
        os._exit(code)

    threading.Thread(target=wait, daemon=True).start()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skindesk", description="The Discord bot of a support desk for Steam item trades.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"skindesk {version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, run_command: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about, allow_abbrev=False)
        command.set_defaults(command=run_command)
        if run_command is not _demo:
            about = "a TOML file (default: config.toml, if it exists)"
            command.add_argument("--config", type=Path, metavar="FILE", help=about)
        return command

    run = add("run", _run, "run the bot until SIGTERM or SIGINT")
    about = "start with an empty or another database where there was one; resends are stopped then"
    run.add_argument("--new-database", action="store_true", help=about)
    demo = add("demo", _demo, "show the bot in the browser, without Discord or a provider")
    demo.add_argument("--port", type=_port, metavar="N", help="the page's port (default: a free one)")
    about = "the language of people and server: de, pt-BR, …"
    demo.add_argument("--language", type=_language, default="en", metavar="CODE", help=about)
    demo.add_argument("--no-browser", action="store_true", help="print the page's address, open nothing")
    check = add("check", _check, "report everything that keeps the bot from starting")
    check.add_argument("--offline", action="store_true", help="check only the configuration and this machine")
    check.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    backup = add("backup", _backup, "copy the database, verified, while the bot runs or not")
    backup.add_argument("destination", type=Path, metavar="DEST", help="a new file, or a folder for a dated one")
    about = "in a folder: delete this database's oldest dated copies, so that N are left"
    backup.add_argument("--keep", type=_at_least_one, metavar="N", help=about)
    restore = add("restore", _restore, "replace the database by a backup")
    what = restore.add_mutually_exclusive_group(required=True)
    what.add_argument("source", type=Path, metavar="SRC", nargs="?", help="a file made by skindesk backup")
    about = "no file: the database was put back to an earlier state by other means"
    what.add_argument("--after-recovery", action="store_true", help=about)
    migrate = add("migrate", _migrate, "move the desk from SQLite to PostgreSQL or back, verified, while it is stopped")
    about = (
        "postgresql://user:password@host/name, or a file; - reads it from stdin, which keeps the password out of the "
        "list of processes, as PGPASSWORD and ~/.pgpass do"
    )
    migrate.add_argument("--to", required=True, metavar="URL", help=about)
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):  # noqa: PLR2004 -- a port
        raise argparse.ArgumentTypeError("should be 0 to 65535")
    return int(text)


def _language(code: str) -> str:
    from bot.languages import LANGUAGES

    if code not in LANGUAGES:
        raise argparse.ArgumentTypeError(f"{code} is none of {', '.join(LANGUAGES)}")
    return code


def _at_least_one(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text)):  # noqa: PLR2004 -- enough copies
        raise argparse.ArgumentTypeError("should be 1 or more: the new copy counts")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    stderr = Stderr()
    faulthandler.enable()  # systemd aborts a process whose event loop hangs: the log then has the place
    # A start takes a while, and a database upgrade longer: until the app handles signals, SIGTERM does what Ctrl+C
    # does, and SIGHUP and SIGUSR1 wait. In a container they would be ignored, elsewhere kill the program.
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    if hasattr(signal, "SIGHUP"):  # Windows has none
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGUSR1})
    try:
        return _start(arguments.config, stderr, new_database=arguments.new_database)
    except KeyboardInterrupt:
        return ExitCode.OK


def _start(file: Path | None, stderr: Stderr, *, new_database: bool) -> int:
    import gc
    import logging

    from bot.config_loading import ConfigurationInvalid, load_settings
    from bot.observability.logs import configure_logging, log_uncaught, reopen_log

    try:
        settings = load_settings(file, os.environ)
    except ConfigurationInvalid as invalid:
        return _refuse(invalid.problems)
    if not settings.database.url:
        _keep_temporary_files_with(settings.database.path)
        from bot.checks.machine import path_problems

        if problems := path_problems(settings.database.path):
            return _refuse(problems)
    configure_logging(settings.observability.log_level, settings.observability.log_format, stderr)
    log_uncaught()
    if hasattr(signal, "SIGUSR1"):
        signal.signal(signal.SIGUSR1, lambda *_: reopen_log())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
    log = logging.getLogger("bot")
    if not settings.providers_on:
        log.warning("no provider is on: give one its credentials, or there is nothing to look up")
    # httpx would load its command line, with click, rich and pygments, if those happen to be installed.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None keeps a module from being imported
    try:
        from bot.app import serve

        _trim_memory()
        gc.freeze()  # modules stay loaded, so the garbage collector need not visit them again
        return _run_to_completion(
            serve(settings, load=lambda: load_settings(file, os.environ), new_database=new_database)
        )
    except Exception:  # noqa: BLE001 -- it is logged
        return _failed()


def _trim_memory() -> None:
    """Give the memory that loading modules took for a moment back to the system, if the C library can do that."""
    import ctypes

    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _run_to_completion(serving: Coroutine[Any, Any, int]) -> int:
    """Run ``serving`` and return its exit code. Exit with it if the event loop or a thread does not end."""
    import asyncio

    async def serve() -> int:
        try:
            code = await serving
        except asyncio.CancelledError:  # by a signal, before the app handled them
            _exit_soon(ExitCode.OK)
            raise
        except Exception:  # noqa: BLE001 -- it is logged
            code = _failed()
        _exit_soon(code)
        return code

    return asyncio.run(serve())


def _failed() -> ExitCode:
    import logging

    from bot.observability.logs import reference

    logging.getLogger("bot").critical("run failed reference=%s", reference(), exc_info=True)  # noqa: LOG014 -- called by handlers
    return ExitCode.FAILURE


def _demo(arguments: argparse.Namespace) -> int:
    from bot.observability.logs import configure_logging

    configure_logging("error", "text")  # users may try the demo with their own trade URL
    try:
        from bot.demo.runner import run_demo

        return run_demo(arguments.port, not arguments.no_browser, arguments.language)
    except ModuleNotFoundError as missing:
        module = (missing.name or "").partition(".")[0]
        if module in ("bot", "cogs"):
            raise
        print(f"The demo needs {module}: pip install 'skindesk[demo]' (or uv sync --extra demo)", file=sys.stderr)
        return ExitCode.UNAVAILABLE


def _check(arguments: argparse.Namespace) -> int:
    from bot.config_loading import ConfigurationInvalid, load_database

    with suppress(ConfigurationInvalid):  # it is reported as a finding
        _keep_temporary_files_with(load_database(arguments.config, os.environ, read_only=True).path)
    from bot.checks.command import run_check
    from bot.observability.logs import configure_logging

    configure_logging("critical", "text")  # errors are reported as findings
    return run_check(arguments.config, os.environ, offline=arguments.offline, as_json=arguments.json, version=version())


def _backup(arguments: argparse.Namespace) -> int:
    def back_up(database: Database) -> int:
        from bot.maintenance import run_backup

        return run_backup(database, arguments.destination, keep=arguments.keep)

    return _with_database(arguments.config, back_up)


def _restore(arguments: argparse.Namespace) -> int:
    def restore(database: Database) -> int:
        from bot.maintenance import run_after_recovery, run_restore

        return run_after_recovery(database) if arguments.after_recovery else run_restore(arguments.source, database)

    return _with_database(arguments.config, restore)


def _migrate(arguments: argparse.Namespace) -> int:
    def migrate(database: Database) -> int:
        from bot.migration import run_migrate

        return run_migrate(database, arguments.to)

    return _with_database(arguments.config, migrate)


def _with_database(file: Path | None, command: Callable[[Database], int]) -> int:
    """Run ``command`` on the configured database, even if other settings are wrong."""
    from bot.config_loading import ConfigurationInvalid, load_database
    from bot.observability.logs import configure_logging

    configure_logging("error", "text")
    try:
        database = load_database(file, os.environ)
    except ConfigurationInvalid as invalid:
        return _refuse(invalid.problems)
    _keep_temporary_files_with(database.path)
    return command(database)


def _keep_temporary_files_with(database: Path) -> None:
    """Keep SQLite's temporary files in the database's folder, unless ``SQLITE_TMPDIR`` is set.

    A VACUUM makes one as large as the database, which a small /tmp has no room for. SQLite reads the variable when
    Python loads it: import nothing that imports sqlite3 before.
    """
    os.environ.setdefault("SQLITE_TMPDIR", str(Path(os.path.realpath(database)).parent))


def _refuse(problems: Sequence[Problem]) -> ExitCode:
    print("SkinDesk cannot start with this configuration:", file=sys.stderr)
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
    return ExitCode.CONFIG


if __name__ == "__main__":
    run()
