"""Hypothesis profiles, faster starts of the bot, ports that stay free, and logging that is reset after each test.

The suite uses the same examples each time, so that only the change at hand can fail it.
``--hypothesis-profile=nightly`` tries 20,000 new ones.
"""

import gc
import logging
import os
import signal
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from itertools import chain, groupby
from types import FunctionType
from typing import cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers as hypothesis_providers
from simcord.env import Env

from bot.domain.failures import Dialect
from bot.providers import catalogue, explanations
from tests.support import postgres
from tests.support.ports import free_port

settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# Hypothesis mixes in constants of all modules that are loaded: with other tests before it, a test had other examples.
_constants_of_modules = hypothesis_providers._get_local_constants
_no_constants = deepcopy(hypothesis_providers._local_constants)
assert not len(_no_constants)
hypothesis_providers._get_local_constants = lambda: _no_constants if settings().derandomize else _constants_of_modules()

# Hundreds of tests start a process. Without bytecode on disk each would compile the whole program and its libraries.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell starts what runs in its background with SIGINT ignored, and the processes of the tests would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# After each click SimCord waits 50 ms for tasks that may never end: a third of the suite's time, without a setting.
_of_settling = cast(FunctionType, Env._settle_internal).__kwdefaults__
assert _of_settling is not None
assert "idle" in _of_settling, "simcord settles in another way now: is this still needed?"
_of_settling["idle"] = 0.002


@cache
def _entries(texts: tuple[tuple[Dialect, str], ...]) -> catalogue.Entries:
    return catalogue.read(dict(texts))


def _read_once(texts: Mapping[Dialect, str]) -> catalogue.Entries:
    return _entries(tuple(texts.items()))


# A thousand tests start the bot. Each start would read the machine's certificates and the catalogue: 60 ms for values
# that never change.
ssl.create_default_context = cache(ssl.create_default_context)  # type: ignore[assignment]
explanations.read = _read_once  # type: ignore[attr-defined]


def pytest_configure(config: pytest.Config) -> None:
    """Choose a folder for the run's PostgreSQL server, which the first test that needs it starts."""
    postgres.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server when the run ends; pytest-xdist's workers share that of their controller."""
    if not hasattr(config, "workerinput"):
        postgres.end_run()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the modules that wait for processes over the run: others use the processors meanwhile."""
    modules = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
    waiting = [module for module in modules if "e2e" in module[0].path.parts]
    others = [module for module in modules if "e2e" not in module[0].path.parts]
    for number, module in enumerate(waiting):
        others.insert(number + len(others) * number // len(waiting), module)
    items[:] = chain.from_iterable(others)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare the garbage collector all modules and tests, which stay: it would look through them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def unused_tcp_port_factory() -> Callable[[], int]:
    """Stand in for pytest-asyncio's, whose ports a connection of another test may get first."""
    return free_port


@pytest.fixture
def unused_tcp_port() -> int:
    """Stand in for pytest-asyncio's likewise."""
    return free_port()


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Reset the root logger, which tests of the command line configure."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
