"""When sessions may begin at Discord's gateway."""

from typing import Final, Protocol

IDENTIFY_EVERY: Final = 5.5
"""Seconds between two sessions of a bucket: Discord's five, and some for ways that differ."""


class IdentifySlots(Protocol):
    """The times at which the sessions of one bot begin, in all its processes.

    DatabaseUnavailable if the other processes' times cannot be read.
    """

    async def take(self, bucket: int) -> float:
        """Take a bucket, and return 0; if it is not free, return the seconds until it may be."""

    async def began(self, bucket: int) -> None:
        """Keep a bucket from now on: Discord has begun a session, perhaps long after the bucket was taken."""
