"""What a log call costs its caller: ``uv run python -m benchmarks.log_calls``.

A plain StreamHandler, the same with redaction, and SkinDesk's queue write the same records to a file, then to a pipe
whose reader takes 1 MB a second, in turns. The figures are the medians over rounds of the time of one call.
"""

import contextlib
import logging
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.observability.logs import QueueHandler, RedactingFormatter, RedactingJsonFormatter
from bot.observability.stderr import Stderr

_ROUNDS = 15
_CALLS = 100
_PAUSE = 0.1
_INTERACTION = {
    "command": "inventory", "guild": 123456789012345678, "user": 223456789012345678, "outcome": "ok", "ms": 312,
    "acknowledged_ms": 40, "provider_ms": 250,
}  # fmt: skip


def _failure() -> BaseException:
    try:
        return BaseException(int("no number"))
    except ValueError as error:
        return error


def _with(handler: logging.Handler, formatter: logging.Formatter) -> logging.Handler:
    handler.setFormatter(formatter)
    return handler


def measure() -> dict[str, dict[str, float]]:
    """Return the microseconds of a call for each kind of record and each handler."""
    error = _failure()
    log = logging.getLogger("bot.benchmark")
    log.propagate = False
    log.setLevel(logging.DEBUG)
    stderr = Stderr()
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handlers = {
        "StreamHandler": _with(logging.StreamHandler(sys.stderr), plain),
        "StreamHandler, redacted": _with(logging.StreamHandler(sys.stderr), RedactingFormatter()),
        "queue, text": _with(QueueHandler(stderr), RedactingFormatter()),
        "queue, JSON": _with(QueueHandler(stderr), RedactingJsonFormatter()),
    }
    records: dict[str, Callable[[], None]] = {
        "short": lambda: log.info("card posted id=%s channel=%s", 41, 123456789012345678),
        "interaction": lambda: log.info("interaction handled", extra=_INTERACTION),
        "outside, 2 kB": lambda: log.warning("unexpected answer %s", "the token of key 7 " * 105),
        "traceback": lambda: log.error("unexpected failure", exc_info=error),
    }
    times: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in handlers} for kind in records}
    for _ in range(_ROUNDS):
        for kind, call in records.items():
            for name, handler in handlers.items():
                log.handlers = [handler]
                began = time.perf_counter()
                for _ in range(_CALLS):
                    call()
                times[kind][name].append((time.perf_counter() - began) / _CALLS * 1e6)
                handler.flush()
                time.sleep(_PAUSE / 10)
    return {kind: {name: statistics.median(them) for name, them in each.items()} for kind, each in times.items()}


def _read_slowly(reader: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(reader, 10_000):
            time.sleep(0.01)


def main() -> int:
    """Print both tables."""
    with TemporaryDirectory() as folder:
        reader, writer = os.pipe()
        threading.Thread(target=_read_slowly, args=(reader,), daemon=True).start()
        file = os.open(Path(folder) / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        shown = os.dup(2)
        for what, target in (("file", file), ("pipe, read at 1 MB/s", writer)):
            os.dup2(target, 2)
            results = measure()
            os.dup2(shown, 2)
            print(f"\nµs for a call, to a {what}")
            for kind, each in results.items():
                print(f"  {kind:14}", "  ".join(f"{name}: {value:.0f}" for name, value in each.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
