"""The program's exit codes."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """An exit code; the numbers from 64 to 78 are those of sysexits.h."""

    OK = 0
    USAGE = 2
    """The command line was not understood."""
    DATA = 65
    """A file that was given, or the database, is not what it should be."""
    UNAVAILABLE = 69
    """Something that was needed is not there or cannot be reached."""
    FAILURE = 70
    """SkinDesk failed in a way it does not know; the log has the details."""
    CANNOT_CREATE = 73
    """A file could not be written."""
    DATABASE_IN_USE = 75
    """Another process has the database; a later start may succeed."""
    CONFIG = 78
    """The configuration is wrong; the list on stderr says where."""
    INTERRUPTED = 130
    """Ctrl+C ended a command early, or its output was not read to the end; the number is the shells' own."""
