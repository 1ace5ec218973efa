"""Does the random operations of ``two_guilds`` and finds what they read or change of others' guilds."""

import inspect
from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from importlib import import_module
from itertools import chain
from pkgutil import iter_modules
from random import Random
from typing import Any, get_type_hints

from bot import ports
from bot.domain.errors import SkinDeskError
from tests.contracts.engines import Repositories
from tests.contracts.two_guilds import CASES, THEIRS, furnished, shows_theirs


@dataclass(slots=True)
class Report:
    """How often each function was tried, and the forbidden reads and changes."""

    done: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


def repository_protocols() -> dict[str, type]:
    """Return the repositories' protocols by their names."""
    modules = (import_module(f"{ports.__name__}.{each.name}") for each in iter_modules(ports.__path__))
    declared = dict(chain.from_iterable(vars(module).items() for module in (ports, *modules)))
    return {name: kind for name, kind in declared.items() if name.endswith("Repository")}


def functions_of(protocol: type) -> AbstractSet[str]:
    """Return what a protocol declares."""
    return {name for name, _ in inspect.getmembers(protocol, inspect.isfunction) if not name.startswith("_")}


def of_engine(repositories: Repositories) -> dict[type, Any]:
    """Return the engine's repositories by their protocols."""
    hints = get_type_hints(Repositories)
    return {kind: getattr(repositories, name) for name, kind in hints.items() if kind in CASES}


async def intruded(repositories: Repositories, *, operations: int, chance: Random, every: int = 100) -> Report:
    """Do random operations; hold each answer, and ``every`` so many all rows of theirs, against what is allowed."""
    by_protocol = of_engine(repositories)
    cases = [
        (f"{protocol.__name__}.{name}", by_protocol[protocol], case)
        for protocol, of_protocol in CASES.items()
        if protocol in by_protocol
        for name, case in of_protocol.items()
    ]
    theirs = await furnished(by_protocol, chance)
    report = Report()
    before = await _rows(repositories)
    since: set[str] = set()
    for number in range(1, operations + 1):
        name, repository, case = chance.choice(cases)
        report.done[name] += 1
        since.add(name)
        try:
            answer = await case(repository, theirs)
        except SkinDeskError as refused:
            answer = (refused.args, vars(refused))
        if shows_theirs(answer):
            report.violations.append(f"operation {number}, {name}: read {answer!r}")
        if number % every == 0 or number == operations:
            after = await _rows(repositories)
            if after != before:
                tables = sorted(name for name in before | after if before.get(name) != after.get(name))
                report.violations.append(f"operation {number}: {tables} changed by one of {sorted(since)}")
            before = after
            since.clear()
    return report


async def _rows(repositories: Repositories) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of theirs, by its table and guild."""
    return {f"{name} of {guild}": rows for guild in THEIRS for name, rows in (await repositories.rows(guild)).items()}
