"""The pages of trades, the details of a trade, and the controls under them."""

from collections.abc import Mapping
from typing import Any, ClassVar

import discord
from typing_extensions import override

from bot.domain.access import Capability
from bot.domain.errors import PageExpired
from bot.domain.snapshots import Audience, Snapshot, TradesAnswer, TradesView
from bot.domain.steam_links import offer_url, profile_url
from bot.domain.trades import Scope, Trade
from bot.languages import Message, t
from bot.services.trade_context import TradeContext
from bot.ui.interaction.components import selected
from bot.ui.interaction.error_handler import CopyButton
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import InteractionSession
from bot.ui.kit.layout import page_at
from bot.ui.pager import (
    PAGE_ID,
    PageAction,
    PageSelect,
    ShownPage,
    load,
    log_failures,
    page_buttons,
    register_pages,
    show,
)
from bot.ui.resends.ask import AskToResendButton
from bot.ui.trades.block import WAITS
from bot.ui.trades.facts import explanation_of
from bot.ui.trades.lines import trade_option
from bot.ui.trades.page import TRADES_A_PAGE, is_only_one, trade_details, trades_page
from bot.ui.watches import NotifyButton


async def _pages(session: InteractionSession, snapshot: Snapshot, index: int) -> ShownPage:
    answer, services = _trades_of(snapshot), session.services
    page = page_at(answer.positions(snapshot.trades_view), index, TRADES_A_PAGE)
    trades = [answer.trades[place] for place in page.items]
    context = await services.trade_context.of(snapshot, trades)
    embed = trades_page(
        answer,
        page,
        audience=snapshot.audience,
        explanations=services.explanations,
        context=context,
        view=snapshot.trades_view,
    )
    view = page_buttons(snapshot.id, page.index, page.count)
    if trades and is_only_one(answer):
        for button in await _actions(session, snapshot, trades[0], context):
            view.add_item(button)
    elif trades:
        staff = snapshot.audience is Audience.STAFF
        options = [
            trade_option(trade, place, answer.read_at, explanations=services.explanations, staff=staff)
            for place, trade in zip(page.items, trades, strict=True)
        ]
        view.add_item(TradeSelect(snapshot.id, options))
    view.add_item(TradesButton(snapshot.id, "refresh", index=page.index))
    if snapshot.trades_view is not None:
        view.add_item(TradesButton(snapshot.id, "all"))
    elif _are_mixed(answer):
        view.add_item(TradesButton(snapshot.id, "failed"))
    if answer.scope is Scope.ACTIVE and answer.reference is None:
        view.add_item(TradesButton(snapshot.id, "ended"))
    return embed, view


register_pages(TradesAnswer, _pages)


def _are_mixed(answer: TradesAnswer) -> bool:
    """Return whether some of the trades have failed and others have not."""
    return any(trade.state.has_failed is not answer.trades[0].state.has_failed for trade in answer.trades)


def _trades_of(snapshot: Snapshot) -> TradesAnswer:
    if not isinstance(snapshot.answer, TradesAnswer):
        raise PageExpired  # a forged custom id
    return snapshot.answer


async def _actions(
    session: InteractionSession, snapshot: Snapshot, trade: Trade, context: TradeContext
) -> list[discord.ui.Item[Any]]:
    """Return the buttons of one trade: what its reader can do about it, and links to Steam."""
    services, actor = session.services, session.actor
    buttons: list[discord.ui.Item[Any]] = []
    if await services.trade_context.offers_resend(trade, context, by=actor):
        buttons.append(AskToResendButton(trade.id))
    if services.watches.can_watch(trade):
        buttons.append(NotifyButton(trade.provider, trade.id))
    url = offer_url(trade.offer_id)
    if url is not None and snapshot.audience is Audience.CUSTOMER and trade.state in WAITS:
        buttons.append(discord.ui.Button(label=t("Open the offer in Steam"), url=url))
    if trade.bot is not None:
        buttons.append(discord.ui.Button(label=t("The bot's profile"), url=profile_url(trade.bot)))
    if snapshot.audience is Audience.STAFF:
        buttons.append(CopyButton(explanation_of(trade, services.explanations).id))
    return buttons


@requires(Capability.TRADES_OWN, Capability.TRADES_ANY)
class TradeSelect(PageSelect, template=PAGE_ID + ":trade"):
    """Shows the details of a trade of the page."""

    name, placeholder, menu_row = "trade", Message("Details of a trade…"), 1

    @override
    async def choose(self, session: InteractionSession) -> None:
        session.defer_if_slow()
        place = selected(self.item)
        snapshot = await load(session, self._snapshot_id)
        answer = _trades_of(snapshot)
        if not place.isdecimal() or int(place) >= len(answer.trades):
            raise PageExpired
        trade = answer.trades[int(place)]
        context = await session.services.trade_context.of(snapshot, [trade])
        view = discord.ui.View(timeout=None)
        for button in await _actions(session, snapshot, trade, context):
            view.add_item(button)
        explanations = session.services.explanations
        embed = trade_details(trade, answer, context, audience=snapshot.audience, explanations=explanations)
        await session.reply(embed, view=view if view.children else None)


@requires(Capability.TRADES_OWN, Capability.TRADES_ANY)
class TradesButton(
    PageAction,
    template=PAGE_ID + r":trades:(?P<action>refresh|failed|all|ended)(?::(?P<index>\d{1,5}))?",
):
    """Asks for the trades again and stays on page ``index``, asks for ended ones too, or shows only failed ones."""

    labels: ClassVar[Mapping[str, Message]] = {
        "refresh": Message("Refresh", "button"),
        # Translators: a button that leaves only the failed trades.
        "failed": Message("Only failed", "trades"),
        # Translators: a button that shows all trades again.
        "all": Message("All", "trades"),
        # Translators: a button that shows the trades too that are over.
        "ended": Message("Show ended ones too", "trades"),
    }
    prefix = "trades:"

    @override
    async def act(self, session: InteractionSession) -> None:
        await (self._ask(session) if self._action in ("refresh", "ended") else self._narrow(session))

    async def _ask(self, session: InteractionSession) -> None:
        session.defer_if_slow(thinking=False)
        scope = Scope.ALL if self._action == "ended" else None
        snapshot = await session.services.snapshots.refresh(self._snapshot_id, by=session.actor, scope=scope)
        log_failures(session, snapshot)
        await show(session, snapshot, self._index)

    async def _narrow(self, session: InteractionSession) -> None:
        session.defer_if_slow(thinking=False)
        view = TradesView.FAILED if self._action == "failed" else None
        await show(session, await session.services.snapshots.show_trades(self._snapshot_id, view, by=session.actor), 0)
