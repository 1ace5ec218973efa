"""Hypothesis profiles, and logs that a test leaves as it found them.

The suite takes the same examples each time, however slow the machine: what turns it red is the change at hand.
``--hypothesis-profile=nightly`` looks for new ones, twenty thousand of them.
"""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Undo what a test that runs the command line sets: it decides what the whole process logs, and where."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
