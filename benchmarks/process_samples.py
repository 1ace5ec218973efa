"""Samples what a process holds, and says whether it stays flat: for the soak benchmark."""

import itertools
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROBE = """
import gc, json, os, sys, threading, time

_passes, _began = [], []

def _time_passes(phase, info):
    if info["generation"] == 2 and phase == "start":
        _began[:] = [time.perf_counter()]
    elif info["generation"] == 2:
        _passes.append((time.perf_counter() - _began.pop()) * 1000)

gc.callbacks.append(_time_passes)

def _probe(path={path!r}):
    while True:
        found = {{"blocks": sys.getallocatedblocks(), "passes": list(_passes)}}
        with open(path + ".new", "w") as file:
            json.dump(found, file)
        os.replace(path + ".new", path)
        time.sleep(2)

threading.Thread(target=_probe, daemon=True).start()
"""
"""Runs inside the process, on a thread of its own: counts of Python's own memory, every two seconds."""

TRACE = """
import threading, time, tracemalloc

def _trace(path={path!r}, first={first}, second={second}):
    tracemalloc.start(12)
    time.sleep(first)
    before = tracemalloc.take_snapshot()
    time.sleep(second)
    found = tracemalloc.take_snapshot().compare_to(before, "traceback")
    with open(path, "w") as file:
        for each in found[:25]:
            print(each.size_diff, each.count_diff, *each.traceback.format(), sep="\\n", file=file)

threading.Thread(target=_trace, daemon=True).start()
"""
"""Writes which lines hold more memory after ``second`` seconds than ``first`` seconds after the start."""

_MEMORY = ("Anonymous", "Rss")
"""Anonymous memory is the process's own. What counts as private also changes when another process ends."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that has to stay flat. ``grain`` is the growth an hour that does not count, whatever the noise."""

    name: str
    unit: str
    grain: float


QUANTITIES = (
    Quantity("anonymous", "MB", 2.0),
    Quantity("resident", "MB", 2.0),
    Quantity("blocks", "thousand", 20.0),
    Quantity("descriptors", "", 4.0),
    Quantity("threads", "", 1.0),
    Quantity("journal", "MB", 0.5),
)


def sample(pid: int, database: Path, probe: Path) -> dict[str, float]:
    """Return what the process holds now: memory in MB, blocks of Python's allocator in thousands, counts."""
    memory = dict.fromkeys(_MEMORY, 0.0)
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]:
        name, _, value = line.partition(":")
        if name in memory:
            memory[name] = int(value.split()[0]) * 1024 / 1e6
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    found = {
        "anonymous": memory["Anonymous"],
        "resident": memory["Rss"],
        "descriptors": float(len(list(Path(f"/proc/{pid}/fd").iterdir()))),
        "threads": float(status.partition("Threads:")[2].split()[0]),
        "journal": _size(database.with_name(f"{database.name}-wal")),
        "database": _size(database),
    }
    with suppress(OSError, ValueError):
        inside = json.loads(probe.read_text("ascii"))
        passes = inside["passes"][1:]  # the first is the program's own, before it serves
        found |= {"blocks": inside["blocks"] / 1e3, "passes": float(len(passes)), "pause": max(passes, default=0.0)}
    return found


def medians(samples: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each quantity in the samples of a minute."""
    names = {name for each in samples for name in each}
    return {name: statistics.median(each[name] for each in samples if name in each) for name in names}


@dataclass(frozen=True, slots=True)
class Trend:
    """A quantity's growth an hour by least squares over the medians of minutes, with its standard error.

    The error is widened by how much each minute's residual follows the one before: such minutes say less than as many
    independent ones. ``upper`` is the largest growth that the measurement allows, at 95 %.
    """

    quantity: Quantity
    first: float
    """The median of the first minutes, for comparison."""
    level: float
    slope: float
    error: float
    minutes: int

    @property
    def lower(self) -> float:
        """The smallest growth an hour that the measurement allows, at 95 %."""
        return self.slope - 2 * self.error

    @property
    def tolerance(self) -> float:
        """The growth an hour that is not told from none: 2 % of the level, or the quantity's grain if that is more."""
        return max(self.quantity.grain, 0.02 * self.level)

    @property
    def is_flat(self) -> bool:
        """Whether no growth beyond the tolerance is shown, and the measurement is fine enough to have shown one.

        Fine enough: what it cannot exclude is at most five times the tolerance.
        """
        return self.lower <= self.tolerance and self.slope + 2 * self.error <= 5 * self.tolerance


def trend(quantity: Quantity, minutes: Sequence[Mapping[str, float]], *, settled: int) -> Trend | None:
    """Return the trend from minute ``settled`` on; None if there are too few: two parameters are fitted."""
    values = [each[quantity.name] for each in minutes[settled:] if quantity.name in each]
    count = len(values)
    if count < 4:
        return None
    times = [number / 60 for number in range(count)]
    slope, intercept = statistics.linear_regression(times, values)
    residuals = [value - intercept - slope * at for at, value in zip(times, values, strict=True)]
    squares = sum(each**2 for each in residuals)
    spread = sum((at - statistics.fmean(times)) ** 2 for at in times)
    error = math.sqrt(squares / (count - 2) / spread)
    follows = sum(a * b for a, b in itertools.pairwise(residuals)) / squares if squares else 0.0
    follows = min(max(follows, 0.0), 0.9)
    return Trend(
        quantity=quantity,
        first=statistics.median(each[quantity.name] for each in minutes[:2] if quantity.name in each),
        level=statistics.median(values),
        slope=slope,
        error=error * math.sqrt((1 + follows) / (1 - follows)),
        minutes=count,
    )


def _size(path: Path) -> float:
    try:
        return path.stat().st_size / 1e6
    except FileNotFoundError:
        return 0.0
