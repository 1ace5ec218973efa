"""What the benchmarks share: their command line, the processor time and memory of a process, tables of ratios."""

import argparse
import ctypes
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_LIBC = ctypes.CDLL(None)
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used, its ended threads included.

    Read from the process's own clock, in nanoseconds: the ticks in ``/proc`` are hundredths of a second.
    """
    clock = ctypes.c_int()
    error = _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise OSError(error, os.strerror(error))
    return time.clock_gettime(clock.value)


def resident_mb(pid: int) -> float:
    """Return the memory that a process has resident, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 1e6


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value below which ``part`` of them lie, of those that were measured."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure of SkinDesk against the reference in the same run. ``bound`` is what it should not go beyond."""

    what: str
    unit: str
    skindesk: float
    reference: float
    ratio: float
    bound: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether it keeps its bound; None where it has none."""
        if self.bound is None:
            return None
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound


def ratio_of(
    what: str,
    unit: str,
    rounds: Sequence[tuple[float, float]],
    *,
    bound: float | None = None,
    at_least: bool = False,
) -> Ratio:
    """Return the medians of interleaved rounds (SkinDesk's figure, the reference's) and of their ratios."""
    return Ratio(
        what,
        unit,
        statistics.median(ours for ours, _ in rounds),
        statistics.median(bare for _, bare in rounds),
        statistics.median(ours / bare for ours, bare in rounds),
        bound,
        at_least,
    )


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure with a bound of its own, whatever the reference does."""

    what: str
    unit: str
    value: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether it keeps its bound."""
        return self.value <= self.bound


def table(figures: Sequence[Ratio | Fact]) -> str:
    """Return the figures as lines of a table."""
    form = "{:<56}{:>5}{:>11}{:>11}{:>9}  {}"
    lines = [form.format("", "unit", "SkinDesk", "reference", "ratio", "bound")]
    for each in figures:
        verdict = {True: "holds", False: "MISSED", None: ""}[each.holds]
        if isinstance(each, Fact):
            cells = (f"{each.value:.3f}", "", "")
            sign = "≤"
        else:
            cells = (f"{each.skindesk:.3f}", f"{each.reference:.3f}", f"{each.ratio:.2f}×")
            sign = "≥" if each.at_least else "≤"
        bound = "" if each.bound is None else f"{sign} {each.bound:g} {verdict}"
        lines.append(form.format(each.what, each.unit, *cells, bound).rstrip())
    return "\n".join(lines)


def options_of(about: str | None, **numbers: int) -> argparse.ArgumentParser:
    """Return a command line with an option for each number and its default, and one for the file to keep it all in."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in numbers.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, help=f"{default:,} if left out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures in it")
    return parser


def show(figures: Sequence[Ratio | Fact], options: argparse.Namespace) -> int:
    """Print and keep the figures; return the exit code: 1 where a bound is missed."""
    print(table(figures))
    if options.json is not None:
        kept = [asdict(each) | {"holds": each.holds} for each in figures]
        options.json.write_text(json.dumps({"python": sys.version, "figures": kept}, indent=2), encoding="utf-8")
    return 1 if any(each.holds is False for each in figures) else 0
