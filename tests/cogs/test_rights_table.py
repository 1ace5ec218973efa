"""Command × capability × role × own or foreign, at every entry point, driven by what each entry point declares."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from bot.demo.scene import Scene
from bot.domain.access import BOOTSTRAP, SEEDED, Capability
from tests.cogs.entry_points import Entry, entries
from tests.cogs.rights_rows import ROWS
from tests.cogs.rights_stage import Case, Stage, Whose, without_reference

_EVERYTHING = frozenset(Capability)
_GROUPS = sorted({re.split(r"[ :]", name)[0] for name in ROWS})  # each has a scene of its own


async def test_every_way_in_has_a_row(scene: Scene) -> None:
    """A new command, context menu, suggestion, component or modal is not without its row, nor a row without it."""
    found = {entry.name: entry for entry in entries(scene.client)}

    missing = [
        f"The {entry.kind} {name!r} has no row: add {name!r} to ROWS in tests/cogs/rights_rows.py, with a Case that "
        f"uses it and says what it shows where it opens, one for the caller's own things and one for others'."
        for name, entry in found.items()
        if name not in ROWS
    ]
    assert missing == []
    assert [f"There is no {name!r} any more: remove its row." for name in ROWS if name not in found] == []


@pytest.mark.parametrize("group", _GROUPS)
async def test_table(scene: Scene, group: str) -> None:
    """Each declared capability opens and no other does; others' things need more; a refusal names what is missing."""
    stage = await Stage.set(scene)
    for job in scene.client._jobs:
        job.cancel()  # so that minutes pass at once
    wrong = []
    for entry in entries(scene.client):
        if _group_of(entry.name) == group and entry.name in ROWS:
            cases = ROWS[entry.name]
            concerned = {each for case in cases for each in case.among or entry.requires.capabilities}
            if concerned != set(entry.requires.capabilities):
                wrong.append(
                    f"{entry.name}: its cases are about {_plain_text(concerned)}, which is not what it declares"
                )
            for case in cases:
                wrong += [
                    f"{entry.name}, {case.whose.name.lower()}: {what}" for what in await tried(stage, entry, case)
                ]

    assert wrong == []


async def tried(stage: Stage, entry: Entry, case: Case) -> list[str]:
    """Let the subject try with every set of rights that differs; return the results that differ from the declaration.

    The capabilities that the entry point does not declare are held all at once: none of them may open it.
    """
    trial = Trial(stage, entry, case)
    concerned = trial.concerned
    alone = (frozenset({each}) for each in sorted(concerned | set(case.also)))
    for held in (frozenset(), *alone, _EVERYTHING - concerned, _EVERYTHING):
        await trial.attempt(held, through=f"roles with {_plain_text(held)}", roles=held)
    await trial.attempt(BOOTSTRAP, through="Discord's Administrator permission", administers=True)
    for capability in sorted(concerned):
        async with stage.everybody_holding(capability):
            await trial.attempt(frozenset({capability}), through=f"@everyone holding {capability}")
    return trial.wrong


class Trial:
    """All attempts at one case."""

    def __init__(self, stage: Stage, entry: Entry, case: Case) -> None:
        self.wrong: list[str] = []
        self.concerned = frozenset(case.among or entry.requires.capabilities)
        self._stage = stage
        self._entry = entry
        self._case = case
        self._prepared: Any = None
        self._is_prepared = False

    async def attempt(
        self,
        held: frozenset[Capability],
        *,
        through: str,
        roles: frozenset[Capability] = frozenset(),
        administers: bool = False,
    ) -> None:
        """Try once with ``held``, which comes ``through`` something, and compare with what the declaration promises."""
        stage, case = self._stage, self._case
        if case.prepare is not None and not self._is_prepared:
            stage.hold(_EVERYTHING)
            self._prepared = await case.prepare(stage)
        stage.hold(roles, administers=administers)
        said = without_reference(await case.do(stage, self._prepared))
        opened = case.shows in said
        self._is_prepared = not opened and not case.fleeting
        problems = []
        if opened != self._may_open(held):
            problems.append("opened" if opened else "was refused")
        elif not opened:
            problems += self._wrong_refusals(said, held)
            if case.missing is not None and said != without_reference(await case.missing(stage, self._prepared)):
                problems.append("was refused in other words than something that does not exist")
        self.wrong += [f"with {through} it {problem}: {said[:200]!r}" for problem in problems]

    def _may_open(self, held: frozenset[Capability]) -> bool:
        if self._case.whose is Whose.CLOSED:
            return False
        enough = self.concerned - SEEDED if self._case.whose is Whose.FOREIGN else self.concerned
        return held.issuperset(self._case.also) and (not self.concerned or not held.isdisjoint(enough))

    def _wrong_refusals(self, said: str, held: frozenset[Capability]) -> Iterator[str]:
        case, missing, is_outsider = self._case, self.concerned - held, held.isdisjoint(self.concerned)
        if self._entry.kind == "suggestion":
            if said and is_outsider:
                yield "suggested something"
        elif case.barred and not is_outsider:
            if case.barred not in said:
                yield f"was refused without {case.barred!r}"
        elif (is_outsider and case.whose is not Whose.CLOSED) or case.missing is None:
            names_it = any(f"(`{each.value}`)." in said for each in missing)
            yield from [] if names_it else ["was refused without the capability that is missing"]


def _group_of(name: str) -> str:
    return re.split(r"[ :]", name)[0]


def _plain_text(capabilities: Iterable[Capability]) -> str:
    return ", ".join(sorted(each.value for each in capabilities)) or "nothing"
