"""Hypothesis profiles, a simulated Discord that does not dawdle, and logs that a test leaves as it found them.

The suite takes the same examples each time, however slow the machine: what turns it red is the change at hand.
``--hypothesis-profile=nightly`` looks for new ones, twenty thousand of them.
"""

import logging
from collections.abc import Iterator
from types import FunctionType
from typing import cast

import pytest
from hypothesis import HealthCheck, settings
from simcord.env import Env

settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# After each click simcord waits for a task of the bot's to end before it looks whether all is done. Where only the
# endless ones are left that is 50 ms in vain, a third of the suite's time; no public setting makes it less.
_of_settling = cast(FunctionType, Env._settle_internal).__kwdefaults__
assert _of_settling is not None
assert "idle" in _of_settling, "simcord settles in another way now: is this still needed?"
_of_settling["idle"] = 0.002


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Undo what a test that runs the command line sets: it decides what the whole process logs, and where."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
