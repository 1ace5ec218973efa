"""The made-up world is reproducible and covers all cases."""

from __future__ import annotations

from typing import Any

from bot.demo import assetpay_trades, people, skinsback_deposits
from bot.demo.people import HOSTILE_NAME, Condition
from bot.demo.world import World, forced_error
from bot.domain.steam import Game
from bot.domain.trade_url import parse_trade_url


def facts(world: World) -> tuple[Any, ...]:
    return (
        [(person, person.token, person.inventories) for person in world.people],
        [(trade.id, trade.status, trade.code, trade.items_send, trade.at) for trade in world.trades],
        (world.assetpay_trades, world.legacy_trades, world.deposits),
    )


def test_same_seed(clock):
    """A seed always makes the same world."""
    made = facts(World(seed=3, now=clock))
    people._belongings.cache_clear()
    assert facts(World(seed=3, now=clock)) == made
    assert facts(World(seed=3, now=clock)) != facts(World(seed=4, now=clock))


def test_people(world):
    """Each person has their own account and a trade URL that SkinDesk can parse."""
    assert len({person.steam_id for person in world.people}) == len(world.people) == 16
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


def test_deposits(world):
    """Each main customer has a trade in every documented state of every vocabulary, first a deposit on hold."""
    for person in (world.customer, world.other_customer, world.collector):
        newer, older = (
            [trade for trade in trades if trade.owner is person]
            for trades in (world.assetpay_trades, world.legacy_trades)
        )
        deposits = [deposit for deposit in world.deposits if deposit.owner == person.steam_id]
        for kind in ("deposit", "withdraw"):
            assert {trade.status for trade in newer if trade.kind == kind} >= set(assetpay_trades.STATUSES)
        assert {trade.status for trade in older} >= set(assetpay_trades.LEGACY_STATUSES)
        assert {deposit.status for deposit in deposits} >= set(skinsback_deposits.STATUSES)
        assert (newer[0].status, deposits[0].status) == ("hold", "in_hold")
        assert {trade.reverted_by for trade in newer} == {None, "user", "supplier"}
    assert {trade.error for trade in world.assetpay_trades} >= {
        *assetpay_trades.ITEM_ERRORS,
        *assetpay_trades.DEPOSIT_ERRORS,
        *assetpay_trades.APPROVAL_ERRORS,
    }


def test_times_of_deposits(world):
    """Nothing happened in the future; what is on hold ends there."""
    for trade in (*world.assetpay_trades, *world.legacy_trades):
        assert trade.created_at <= trade.updated_at <= world.now()
        if trade.status.upper() == "HOLD":
            assert trade.hold_ends > world.now()
    assert all((deposit.arrived_at or deposit.created_at) < world.now() for deposit in world.deposits)


def test_hostile(world):
    """One person has hostile names and errors, including a trade URL."""
    names = [item.name for item in world.hostile.inventories[Game.CS2]]
    errors = [trade.last_error for trade in world.trades_of(world.hostile)]

    assert HOSTILE_NAME in names
    assert HOSTILE_NAME in errors
    assert any(world.hostile.token in error for error in errors)
    assert max(map(len, names)) > 256
    assert max(map(len, errors)) > 1024
    held, odd, *failed = [trade for trade in world.assetpay_trades if trade.owner is world.hostile]
    assert {held.items[0].item.name, held.bot.name, odd.status, failed[1].error} == {HOSTILE_NAME}
    assert world.hostile.token in failed[0].error


def test_no_secret_in_reprs(world):
    """The reprs of people, trades and credentials contain no token, code or key."""
    printed = repr((world.people, world.trades, world.assetpay_trades, world.deposits, world.credentials))

    assert not any(person.token in printed for person in world.people)
    assert not any(trade.code in printed for trade in world.trades if trade.code != "COMPLETED")
    assert world.credentials.mannco_api_key not in printed
