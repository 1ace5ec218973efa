"""Which servers belong to which of Discord's shards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_MOST = 4_096
"""More than any bot has; a larger number is a mistake."""


@dataclass(frozen=True, slots=True)
class ShardGroup:
    """The shards of one process, ``first`` to ``last`` of ``count`` in all."""

    first: int
    last: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``0-3/8`` or ``5/8``. ValueError, with a message for the operator, for anything else."""
        match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?/(\d{1,5})", text, re.ASCII)
        if match is None:
            raise ValueError('Input should be the shards of this process, like 0-3/8, or ""')
        first, last, count = int(match[1]), int(match[2] or match[1]), int(match[3])
        if not first <= last < count <= _MOST:
            raise ValueError(f"Input should be first-last/count, with first <= last < count <= {_MOST:,}")
        return cls(first, last, count)

    @property
    def ids(self) -> range:
        """The numbers of the shards."""
        return range(self.first, self.last + 1)

    @property
    def is_all(self) -> bool:
        """Whether no other process has shards."""
        return len(self.ids) == self.count

    def has(self, guild_id: int) -> bool:
        """Return whether a server's events come to this process."""
        return (guild_id >> 22) % self.count in self.ids

    def __str__(self) -> str:
        """Return the group as the configuration has it."""
        return f"{self.first}-{self.last}/{self.count}"


ONE_SHARD = ShardGroup(0, 0, 1)
