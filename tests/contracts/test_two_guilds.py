"""Operations of one guild's members reach nothing of another guild, in any repository function."""

from random import Random

import pytest

from tests.contracts.engines import Repositories
from tests.contracts.intruders import functions_of, intruded, of_engine, repository_protocols
from tests.contracts.two_guilds import ACROSS_GUILDS, CASES

OPERATIONS = 5_000
"""``benchmarks/two_guilds.py`` does as many as wanted."""


@pytest.mark.parametrize("name", sorted(repository_protocols()))
def test_every_function_has_a_case(name: str) -> None:
    """Each repository function has a case, or a reason why no interaction can cause it."""
    protocol = repository_protocols()[name]
    tried, not_tried = CASES.get(protocol, {}).keys(), ACROSS_GUILDS.get(protocol, {}).keys()

    assert tried | not_tried == functions_of(protocol)
    assert not tried & not_tried


async def test_operations_from_another_guild(repositories: Repositories) -> None:
    """Nothing of another guild is read and nothing is changed, and every function was tried."""
    report = await intruded(repositories, operations=OPERATIONS, chance=Random(5))  # noqa: S311 -- a choice, no secret

    assert report.violations == []
    assert report.done.total() == OPERATIONS
    for protocol in of_engine(repositories):
        assert {f"{protocol.__name__}.{name}" for name in CASES[protocol]} <= report.done.keys()
