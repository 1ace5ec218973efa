"""One page of trades: where each stands in words, what happens next, and the facts to compare in Steam."""

import discord

from bot.domain.pages import Audience, TradesAnswer
from bot.domain.trades import WINDOW, Direction, Scope, Trade
from bot.ports import Explanations
from bot.ui.errors import GAME_LABELS
from bot.ui.layout import Tone, card
from bot.ui.paging import page_count, page_of
from bot.ui.text import code, count, outside, relative

TRADES_A_PAGE = 5

_DIRECTIONS = {
    Direction.DEPOSIT: "deposit",
    Direction.WITHDRAWAL: "withdrawal",
    Direction.NOTHING: "no items",
}


def trades_page_count(answer: TradesAnswer) -> int:
    """Return how many pages the answer has."""
    return page_count(len(answer.trades), TRADES_A_PAGE)


def trades_page(answer: TradesAnswer, index: int, *, audience: Audience, explanations: Explanations) -> discord.Embed:
    """Return page ``index`` (from 0) of the trades, newest first."""
    blocks = [
        _trade_block(trade, answer, audience=audience, explanations=explanations)
        for trade in page_of(answer.trades, index, TRADES_A_PAGE)
    ]
    return card(
        title=f"Trades · {answer.provider.label}",
        description="\n\n".join(["\n".join(_head(answer)), *(blocks or [_nothing(answer)])]),
        colour=Tone.NEUTRAL,
        footer=f"Page {index + 1} of {trades_page_count(answer)}",
    )


def _head(answer: TradesAnswer) -> list[str]:
    what = "active trade" if answer.scope is Scope.ACTIVE else "trade"
    whose = "everybody's" if answer.steam_id is None else f"SteamID `{answer.steam_id}`"
    if answer.steam_id is not None and answer.steam_id == answer.viewer:
        whose = "your own"
    lines = [f"**{count(len(answer.trades), what)}** · {whose} · read {relative(answer.read_at)}"]
    if answer.window_full:
        lines.append(f"Mannco.store lists the newest {WINDOW} trades only; older ones are in its dashboard.")
    return lines


def _trade_block(trade: Trade, answer: TradesAnswer, *, audience: Audience, explanations: Explanations) -> str:
    status = explanations.status(trade.provider.dialect, str(trade.status))
    staff = audience is Audience.STAFF
    # What a resend writes as status is not documented, so whatever is not over may be waiting for its owner.
    waits = not status.is_final
    facts = [_DIRECTIONS[trade.direction]]
    if trade.direction is not Direction.NOTHING:
        facts.append(count(len(trade.items_send or trade.items_received), "item"))
    if trade.game is not None:
        facts.append(GAME_LABELS[trade.game.word])
    if trade.created_at is not None:
        facts.append(relative(trade.created_at))
    lines = [
        f"**#{trade.id} · {status.title}**",
        " · ".join(facts),
        f"Next: {status.agent if staff else status.customer}",
    ]
    if staff and answer.steam_id is None:
        lines.append(f"Customer `{trade.owner}`")
    if trade.bot is not None and (staff or waits):
        lines.append(f"Bot `{trade.bot}` · offer {code(trade.offer_id or 'none yet', 24)}")
    if trade.code is not None and waits:
        lines.append(f"Your code: {code(trade.code.reveal(), 24)}")
    if waits and not staff:
        lines.append(
            "⚠️ Accept in Steam only if bot, offer and code are the same there. Nobody of the staff asks for it."
        )
    if staff:
        error = f" · last error: {outside(trade.last_error, 150)}" if trade.last_error else ""
        lines.append(f"Status {code(str(trade.status), 8)}{error}")
    return "\n".join(lines)


def _nothing(answer: TradesAnswer) -> str:
    if answer.scope is Scope.ACTIVE:
        return "Nothing is waiting at the moment. `/trades` with scope “all” shows the finished and failed ones too."
    return "There is no trade yet."
