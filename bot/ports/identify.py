"""When sessions may begin at Discord's gateway."""

from typing import Final, Protocol

IDENTIFY_EVERY: Final = 5.5
"""Seconds between two identifies of a bucket: Discord's five, and some for ways that differ."""


class IdentifySlots(Protocol):
    """The times of identifies of one bot, in all its processes."""

    async def reserve(self, bucket: int) -> float:
        """Reserve the next identify of a bucket, and return the seconds until it may be sent.

        DatabaseUnavailable if the other processes' times cannot be read.
        """
