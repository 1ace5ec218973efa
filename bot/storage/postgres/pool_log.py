"""Keeps the log readable while the server is away: each connection of psycopg's pool repeats why it is not made."""

import logging
import time

from typing_extensions import override

_REPEATED_AFTER = 600.0
"""Seconds."""


class FirstOfEach(logging.Filter):
    """Passes errors of connecting, each text once in ten minutes, and no other record."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[str, float] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        text, now = record.getMessage(), time.monotonic()
        if not text.startswith("error connecting") or self._passed.get(text, -_REPEATED_AFTER) > now - _REPEATED_AFTER:
            return False
        self._passed = {each: at for each, at in self._passed.items() if at > now - _REPEATED_AFTER} | {text: now}
        return True
