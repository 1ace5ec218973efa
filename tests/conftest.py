"""Hypothesis profiles, and logs that a test leaves as it found them.

The suite's own profile is Hypothesis' default; ``--hypothesis-profile=nightly`` is for twenty thousand examples.
"""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("nightly", max_examples=20_000, deadline=None)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Undo what a test that runs the command line sets: it decides what the whole process logs, and where."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
