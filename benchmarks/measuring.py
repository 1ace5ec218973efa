"""Shared by the benchmarks: command line, processor time and memory of a process, tables of results."""

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
    """Return the processor time of a process, from its own clock: the ticks in ``/proc`` are too coarse."""
    clock = ctypes.c_int()
    error = _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise OSError(error, os.strerror(error))
    return time.clock_gettime(clock.value)


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 1e6


def percentile(values: Sequence[float], part: float) -> float:
    """Return the measured value below which ``part`` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Ratio:
    """One result of SkinDesk against the reference in the same run, with the bound of their ratio."""

    what: str
    unit: str
    skindesk: float
    reference: float
    ratio: float
    bound: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether it keeps its bound; None without a bound."""
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
    """Return the medians of interleaved rounds (SkinDesk, reference) and of their ratios."""
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
    """One result with a bound of its own."""

    what: str
    unit: str
    value: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether it keeps its bound."""
        return self.value <= self.bound


def table(results: Sequence[Ratio | Fact]) -> str:
    """Return the results as a table."""
    form = "{:<56}{:>5}{:>11}{:>11}{:>9}  {}"
    lines = [form.format("", "unit", "SkinDesk", "reference", "ratio", "bound")]
    for each in results:
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
    """Return a command line with an option for each number and its default, and one for a JSON file."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in numbers.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, help=f"default: {default:,}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to it")
    return parser


def show(results: Sequence[Ratio | Fact], options: argparse.Namespace) -> int:
    """Print and save the results; return the exit code: 1 if a bound is missed."""
    print(table(results))
    if options.json is not None:
        kept = [asdict(each) | {"holds": each.holds} for each in results]
        options.json.write_text(json.dumps({"python": sys.version, "figures": kept}, indent=2), encoding="utf-8")
    return 1 if any(each.holds is False for each in results) else 0
