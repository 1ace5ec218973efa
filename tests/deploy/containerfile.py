"""Reads a Containerfile, as far as ours goes."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction. ``options`` are its ``--name=value``; ``words`` what follows, from JSON or by blanks."""

    name: str
    rest: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """The arguments one by one."""
        text = self.rest.removeprefix("CMD ") if self.name == "HEALTHCHECK" else self.rest
        if text.startswith("["):
            words: list[str] = json.loads(text)
            return words
        return text.split()


@dataclass(frozen=True, slots=True)
class Stage:
    """An image on the way: what it begins with, and its instructions."""

    base: str
    name: str | None
    instructions: list[Instruction]

    def all(self, name: str) -> list[Instruction]:
        """Return its instructions of one kind."""
        return [each for each in self.instructions if each.name == name]

    def one(self, name: str) -> Instruction:
        """Return the only instruction of a kind."""
        [found] = self.all(name)
        return found

    @property
    def environment(self) -> dict[str, str]:
        """What its ENV instructions set."""
        return dict(word.split("=", 1) for each in self.all("ENV") for word in each.words)


_NAMES = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "STOPSIGNAL", "HEALTHCHECK"} | {
    "ENTRYPOINT",
    "CMD",
}
_OPTION = re.compile(r"--([a-z-]+)=(\S+)\s+")


def parsed(path: Path) -> list[Stage]:
    """Return the stages; ValueError for what is no instruction."""
    stages: list[Stage] = []
    for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, rest = line.partition(" ")
        if name not in _NAMES:
            raise ValueError(line)
        if name == "FROM":
            base, _, alias = rest.partition(" AS ")
            stages.append(Stage(base, alias or None, []))
            continue
        options = {}
        while match := _OPTION.match(rest):
            options[match[1]] = match[2]
            rest = rest[match.end() :]
        stages[-1].instructions.append(Instruction(name, rest.strip(), options))
    return stages
