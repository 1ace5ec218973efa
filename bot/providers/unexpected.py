"""Counts what an answer had that its documents do not, and says so once for each place."""

import logging
import re
from collections import Counter

from bot.domain.failures import Party, ProviderName

_log = logging.getLogger(__name__)

_INDEX = re.compile(r"\[\d+\]")
_MOST_SHAPES = 200
"""More different places than this are noise: they are counted together and not logged."""
_OTHERS = "others"


class Unexpected:
    """The unexpected of one provider, by place: ``data.inventory[].wear``. What stood there is never kept."""

    def __init__(self, provider: ProviderName | Party) -> None:
        self._provider = provider
        self.counts: Counter[str] = Counter()

    def note(self, place: str) -> None:
        """Count a place; log it the first time."""
        shape = _INDEX.sub("[]", place)
        if shape not in self.counts and len(self.counts) >= _MOST_SHAPES:
            shape = _OTHERS
        self.counts[shape] += 1
        if self.counts[shape] == 1:
            _log.warning("unexpected answer provider=%s place=%s", self._provider.value, shape)
