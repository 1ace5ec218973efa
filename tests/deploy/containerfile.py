"""Reads the instructions of our Containerfile."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction with its ``--name=value`` options and the text after them."""

    name: str
    text: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> list[str]:
        """The arguments, from a JSON list or separated by blanks."""
        text = self.text.removeprefix("CMD ") if self.name == "HEALTHCHECK" else self.text
        if text.startswith("["):
            arguments: list[str] = json.loads(text)
            return arguments
        return text.split()


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the build: its base image and its instructions."""

    base: str
    name: str | None
    instructions: list[Instruction]

    def all(self, name: str) -> list[Instruction]:
        """Return the instructions of one kind."""
        return [each for each in self.instructions if each.name == name]

    def one(self, name: str) -> Instruction:
        """Return the only instruction of a kind."""
        [found] = self.all(name)
        return found

    def pairs(self, name: str) -> dict[str, str]:
        """Return the names and values of its ENV or LABEL instructions."""
        return dict(word.split("=", 1) for each in self.all(name) for word in each.arguments)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of its ENV instructions."""
        return self.pairs("ENV")


_NAMES = frozenset(
    {
        "FROM",
        "ENV",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "VOLUME",
        "STOPSIGNAL",
        "LABEL",
        "EXPOSE",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
)
_OPTION = re.compile(r"--([a-z-]+)=(\S+)\s+")


def parsed(path: Path) -> list[Stage]:
    """Return the stages; ValueError for an unknown instruction."""
    stages: list[Stage] = []
    for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, text = line.partition(" ")
        if name not in _NAMES:
            raise ValueError(line)
        if name == "FROM":
            base, _, alias = text.partition(" AS ")
            stages.append(Stage(base, alias or None, []))
            continue
        options = {}
        while match := _OPTION.match(text):
            options[match[1]] = match[2]
            text = text[match.end() :]
        stages[-1].instructions.append(Instruction(name, text.strip(), options))
    return stages
