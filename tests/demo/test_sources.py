"""The sources of trades read what the simulated providers have: two readings of trades.md agree."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.config import Settings
from bot.demo.assetpay_trades import AssetPayTrade
from bot.demo.providers import SimulatedProviders
from bot.demo.skinsback_deposits import SkinsBackDeposit
from bot.domain.secrets import mask_trade_urls
from bot.domain.trade_url import parse_trade_url
from bot.domain.trades import Direction, Trade, TradeQuery, TradeReference, TradeState
from bot.provider_setup import open_providers
from bot.providers.explanations import Catalogue
from tests.fakes.clock import FakeClock

ASSETPAY = {
    **dict.fromkeys(("initiated", "pending", "INITIATED"), TradeState.PREPARED),
    # PENDING is another thing than pending: the offer is out (trades.md, 2).
    **dict.fromkeys(("active", "PENDING"), TradeState.OFFERED),
    **dict.fromkeys(("hold", "ACTIVE", "ESCROW", "HOLD"), TradeState.HELD),
    **dict.fromkeys(("completed", "COMPLETED", "PARTIAL"), TradeState.COMPLETED),
    **dict.fromkeys(("failed", "FAILED"), TradeState.FAILED),
    **dict.fromkeys(("canceled", "declined"), TradeState.CANCELLED),
    **dict.fromkeys(("reverted", "REVERTED"), TradeState.REVERTED),
}
SKINSBACK = {
    "pending": TradeState.OFFERED,
    "in_hold": TradeState.HELD,
    "hold_approved": TradeState.HELD,
    "success": TradeState.COMPLETED,
    "fail": TradeState.FAILED,
    "hold_returned": TradeState.REVERTED,
}


@pytest.fixture
async def providers(world):
    async with SimulatedProviders(world) as providers:
        yield providers


@pytest.fixture
async def sources(providers, world):
    """The sources by the names of their tables."""
    async with AsyncExitStack() as stack:
        settings = Settings.model_validate({"discord": {"token": "t"}, "providers": providers.settings()})
        on = await open_providers(settings, stack, clock=FakeClock(world.now()), explanations=Catalogue.load())
        yield {source.name.value: source for source in on.sources}
    assert not providers.skinsback.unknown_parameters


def facts(trade: Trade) -> dict[str, Any]:
    """Return what a reading has to say of a trade, with missing amounts as 0."""
    money = trade.total, trade.credited_now, trade.credited_later, trade.merchant_amount
    return {
        "id": trade.id,
        "owner": trade.owner,
        "state": (trade.state, trade.status, trade.direction),
        "money": [each.amount if each is not None else 0 for each in money],
        "currency": trade.total and trade.total.currency,
        "references": (trade.shop_reference, trade.offer_id, trade.bot_name),
        "end": (trade.last_error[:500], trade.reverted_by),
        "items": [(item.name, item.status, item.error) for item in trade.items],
        "made": trade.created_at,
        "hold": trade.hold_ends,
    }


def of_assetpay(trade: AssetPayTrade) -> dict[str, Any]:
    is_deposit = trade.kind == "deposit"
    is_named = is_deposit or trade.status.lower() != "initiated"
    return {
        "id": trade.id,
        "owner": trade.owner.steam_id,
        "state": (
            ASSETPAY.get(trade.status, TradeState.UNKNOWN),
            trade.status,
            Direction.DEPOSIT if is_deposit else Direction.WITHDRAWAL,
        ),
        "money": [trade.total, trade.pre_credit or 0, trade.pending_credit or 0, 0],
        "currency": "USD",
        "references": (trade.shop_reference or "", trade.offer_id or "", trade.bot.name if trade.bot else ""),
        "end": (mask_trade_urls(trade.error or "")[:500], trade.reverted_by or ""),
        "items": [
            (each.item.market_hash_name if is_named else "", each.status or "", each.error or "")
            for each in trade.items
        ],
        "made": milliseconds(trade.created_at),
        "hold": milliseconds(trade.hold_ends),
    }


def of_skinsback(deposit: SkinsBackDeposit) -> dict[str, Any]:
    has_amounts = deposit.status in ("in_hold", "hold_approved", "success")
    # SkinsBack's protection has eight days, counted from the skins' arrival (trades.md, 3.4).
    parts = [Decimal(0), deposit.user_amount] if deposit.status == "in_hold" else [deposit.user_amount, Decimal(0)]
    hold_ends = deposit.arrived_at and deposit.arrived_at.replace(microsecond=0) + timedelta(days=8)
    return {
        "id": deposit.transaction_id,
        "owner": deposit.owner,
        "state": (SKINSBACK.get(deposit.status, TradeState.UNKNOWN), deposit.status, Direction.DEPOSIT),
        "money": [deposit.user_amount, *parts, deposit.amount] if has_amounts else [0, 0, 0, 0],
        "currency": deposit.currency.upper() if has_amounts else None,
        "references": (deposit.order_id, "", ""),
        "end": ("", ""),
        "items": [(skin.name, "", "") for skin in deposit.skins] if deposit.status == "success" else [],
        "made": deposit.created_at.replace(microsecond=0),
        "hold": hold_ends if deposit.status in ("in_hold", "hold_approved") else None,
    }


def milliseconds(moment):
    return moment and moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def by_id(rows: list[dict[str, Any]]) -> dict[str, Any]:
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row for row in rows}


@pytest.mark.parametrize("table", ["assetpay_client", "assetpay_legacy"])
async def test_client_lists(sources, world, table):
    """A client's list has every trade of both games, in every state, with its money and references."""
    kept = world.legacy_trades if table == "assetpay_legacy" else world.assetpay_trades
    for person in (world.customer, world.other_customer, world.collector, world.hostile):
        query = TradeQuery(account=person.steam_id, trade_url=parse_trade_url(person.trade_url))
        reading = await sources[table].read(query)

        expected = [of_assetpay(trade) for trade in kept if trade.owner is person]
        assert by_id([facts(trade) for trade in reading.trades]) == by_id(expected)
        assert (reading.unread, reading.is_cut, reading.failure) == ((), False, None)


async def test_single_trades(sources, world):
    """AssetPay finds a trade by its own number and by the shop's, and none by a number that no trade has."""
    for trade in world.assetpay_trades:
        for number in (trade.id, trade.shop_reference):
            if number is not None:
                reading = await sources["assetpay"].read(TradeQuery(reference=TradeReference(number)))
                assert [facts(each) for each in reading.trades] == [of_assetpay(trade)]
    assert (await sources["assetpay"].read(TradeQuery(reference=TradeReference("order-1")))).trades == ()


@pytest.mark.parametrize(("page_size", "drift"), [(1000, False), (7, True)])
async def test_orders(sources, providers, world, page_size, drift):
    """SkinsBack's orders have every deposit of the last 14 days, on any number of pages and in any types."""
    providers.skinsback.page_size, providers.skinsback.types_drift = page_size, drift
    reading = await sources["skinsback"].read(TradeQuery())

    recent = [each for each in world.deposits if world.now() - each.created_at <= timedelta(days=14)]
    assert by_id([facts(trade) for trade in reading.trades]) == by_id([of_skinsback(each) for each in recent])
    assert (reading.unread, reading.is_cut, reading.failure) == ((), False, None)


async def test_single_deposits(sources, world):
    """SkinsBack finds a deposit by either number, also an old one, and none by a number that no trade has."""
    for deposit in world.deposits:
        for number in (deposit.transaction_id, deposit.order_id):
            reading = await sources["skinsback"].read(TradeQuery(reference=TradeReference(number)))
            assert of_skinsback(deposit) in [facts(trade) for trade in reading.trades]
    reading = await sources["skinsback"].read(TradeQuery(reference=TradeReference("order-1")))
    assert not any(TradeReference("order-1").matches(trade) for trade in reading.trades)
