"""Finds the numbered SQL files that bring a database to the newest schema."""

import re
from importlib import resources

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


def migration_files(package: str) -> list[tuple[int, str, str]]:
    """Return number, name and text of each file in an engine's ``migrations``, in order; ValueError for a gap."""
    found = []
    for file in (resources.files(package) / "migrations").iterdir():
        match = _FILE_NAME.fullmatch(file.name)
        if match is not None:
            found.append((int(match[1]), file.name, file.read_text("utf-8")))
    found.sort()
    if [number for number, _, _ in found] != list(range(1, len(found) + 1)):
        raise ValueError([name for _, name, _ in found])
    return found
