"""The made-up world is reproducible and covers all cases."""

from __future__ import annotations

from typing import Any

from bot.demo.people import HOSTILE_NAME, Condition
from bot.demo.world import World, forced_error
from bot.domain.steam import Game
from bot.domain.trade_url import parse_trade_url


def facts(world: World) -> tuple[list[Any], list[Any]]:
    return [(person, person.token, person.inventories) for person in world.people], [
        (trade.id, trade.status, trade.code, trade.items_send, trade.at) for trade in world.trades
    ]


def test_same_seed(clock):
    """A seed always makes the same world."""
    assert facts(World(seed=3, now=clock)) == facts(World(seed=3, now=clock))
    assert facts(World(seed=3, now=clock)) != facts(World(seed=4, now=clock))


def test_people(world):
    """Each person has their own account and a trade URL that SkinDesk can parse."""
    assert len({person.steam_id for person in world.people}) == len(world.people) == 15
    for person in world.people:
        read = parse_trade_url(person.trade_url)
        assert (read.steam_id, read.canonical()) == (person.steam_id, person.trade_url)
        assert forced_error(person.token) is None
    assert {person.condition for person in world.people} == set(Condition)


def test_trades(world):
    """Each main customer has trades in every status, a resendable one first; failed ones have an error text."""
    for person in (world.customer, world.other_customer, world.collector):
        trades = world.trades_of(person)
        assert {trade.status for trade in trades} == {-1, 0, 3, 4, 5, 6, 7, 10, -12, -11, 1, 2, 8, 9}
        assert trades[0].status == -1
        assert trades[0].items_send
        assert all(trade.last_error for trade in trades if trade.status in (-1, 4, 5, 6, 7, 8, 10))
    assert len({trade.id for trade in world.trades}) == len(world.trades)


def test_hostile(world):
    """One person has hostile names and errors, including a trade URL."""
    names = [item.name for item in world.hostile.inventories[Game.CS2]]
    errors = [trade.last_error for trade in world.trades_of(world.hostile)]

    assert HOSTILE_NAME in names
    assert HOSTILE_NAME in errors
    assert any(world.hostile.token in error for error in errors)
    assert max(map(len, names)) > 256
    assert max(map(len, errors)) > 1024


def test_no_secret_in_reprs(world):
    """The reprs of people, trades and credentials contain no token, code or key."""
    printed = repr((world.people, world.trades, world.credentials))

    assert not any(person.token in printed for person in world.people)
    assert not any(trade.code in printed for trade in world.trades if trade.code != "COMPLETED")
    assert world.credentials.mannco_api_key not in printed
