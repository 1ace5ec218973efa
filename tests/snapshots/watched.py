"""The direct messages about watched trades."""

from collections.abc import Iterator
from datetime import timedelta

import discord
from discord.utils import utcnow

from bot.domain.failures import ProviderName
from bot.domain.trades import Direction, Trade, TradeState
from bot.domain.watches import WatchEnd
from bot.providers.explanations import Catalogue
from bot.ui.watches import begin_embed, change_embed, change_line, end_embed, stop_view
from tests.contracts.samples import watch
from tests.domain.builders import trade, usd
from tests.snapshots.shot import Shot
from tests.ui.test_trades_page import at

_CATALOGUE = Catalogue.load()
_SERVER = "Skin Market"


def watched() -> Iterator[Shot]:
    """Return a message of each kind."""
    now = utcnow()
    one = watch(at=now)
    times = {"created_at": now - timedelta(hours=3)}
    offered = trade(id=678431, status=0, last_error="", code=None, **times)
    begin = begin_embed(one, offered, explanations=_CATALOGUE, server=_SERVER, is_own=True)
    yield _shot("the first message", "customer", offered, begin, "")
    held = {"hold_ends": now + timedelta(days=6), "credited_now": usd("40.20"), "credited_later": usd("8.10")}
    for provider, status, state, facts in (
        (ProviderName.ASSETPAY, "active", TradeState.OFFERED, {}),
        (ProviderName.ASSETPAY, "hold", TradeState.HELD, held),
        (ProviderName.SKINSBACK, "success", TradeState.COMPLETED, {"total": usd("48.30")}),
        (ProviderName.ASSETPAY, "failed", TradeState.FAILED, {"last_error": "USER_ESCROW"}),
    ):
        changed = at(
            provider, status, state, Direction.DEPOSIT, **{"id": "678431", "total": usd("48.30"), **times, **facts}
        )
        for reader, is_own in (("customer", True), ("staff", False)):
            embed = change_embed(one, changed, explanations=_CATALOGUE, server=_SERVER, is_own=is_own)
            line = change_line(changed, explanations=_CATALOGUE, is_own=is_own)
            yield _shot(f"{state.value}", reader, changed, embed, line)
    for why in WatchEnd:
        yield Shot("watches", f"the end, {why.value}", "everybody", [end_embed(one, why, _SERVER)])


def _shot(situation: str, reader: str, changed: Trade, embed: discord.Embed, line: str) -> Shot:
    view = stop_view(watch(), changed)
    above = [discord.Embed(title=line)] if line else []
    return Shot("watches", situation, reader, [*above, embed], () if view is None else view.to_components())
