"""What the benchmarks share: the processor time and memory of a process, and tables of ratios."""

import ctypes
import json
import os
import statistics
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


def table(ratios: Sequence[Ratio]) -> str:
    """Return the ratios as lines of a table."""
    form = "{:<46}{:>8}{:>12}{:>12}{:>9}  {}"
    lines = [form.format("", "unit", "SkinDesk", "reference", "ratio", "bound")]
    for each in ratios:
        sign = "≥" if each.at_least else "≤"
        verdict = {True: "holds", False: "MISSED", None: ""}[each.holds]
        bound = "" if each.bound is None else f"{sign} {each.bound:g} {verdict}"
        lines.append(
            form.format(
                each.what, each.unit, f"{each.skindesk:.3f}", f"{each.reference:.3f}", f"{each.ratio:.2f}×", bound
            )
        )
    return "\n".join(lines)


def as_json(ratios: Sequence[Ratio]) -> str:
    """Return the ratios as JSON."""
    return json.dumps([asdict(each) | {"holds": each.holds} for each in ratios], indent=2)
