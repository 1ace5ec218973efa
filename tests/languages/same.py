"""Messages that may read in another language as they do in English."""

SAME: frozenset[str] = frozenset()
