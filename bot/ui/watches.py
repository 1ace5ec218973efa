"""*Notify me* under a trade, *Stop*, and the pages and messages about watched trades."""

import re
from typing import Self

import discord

from bot.domain.access import Capability
from bot.domain.errors import DirectMessagesClosed, TradeHasEnded, TradeNotWatchable
from bot.domain.failures import ProviderName
from bot.domain.snapshots import TradesAnswer
from bot.domain.trades import Scope, Trade, TradeState
from bot.domain.watches import KEPT_FOR, MOST_WATCHES, Watch, WatchEnd
from bot.languages import Message, paragraph, t, tn, tp
from bot.ports import Explanations
from bot.services.watches import BegunWatch, TooManyWatches
from bot.ui.errors import NOT_AGAIN, ErrorMessage, register_messages
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.rights import public, requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, outside, plain, relative
from bot.ui.trades.block import trade_block
from bot.ui.trades.facts import headline, label_for

_PROVIDERS = "|".join(ProviderName)


@requires(Capability.TRADES_OWN, Capability.TRADES_ANY)
class NotifyButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=rf"watch:on:(?P<provider>{_PROVIDERS}):(?P<trade>[\w.\-]{{1,64}})",
):
    """Watches the trade in its custom id. It is offered where ``WatchService.can_watch`` says so."""

    def __init__(self, provider: ProviderName, trade_id: str) -> None:
        custom_id = f"watch:on:{provider.value}:{trade_id}"
        super().__init__(discord.ui.Button(label=t("Notify me"), emoji="🔔", custom_id=custom_id))
        self._provider = provider
        self._trade_id = trade_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls(ProviderName(match["provider"]), match["trade"])

    async def callback(self, interaction: Interaction) -> None:
        """Watch the trade."""
        await handle(interaction, self._watch)

    async def _watch(self, session: InteractionSession) -> None:
        await session.defer()
        begun = await session.services.watches.begin(self._provider, self._trade_id, by=session.actor)
        if isinstance(begun, TooManyWatches):
            await session.reply(_too_many(begun.watches), view=_stop_view(*begun.watches, named=True))
        else:
            await session.reply(_begun(begun), view=_stop_view(begun.watch))


@public("it ends the caller's own watch only")
class StopButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"watch:(?P<id>\d{1,18}):(?P<action>stop)"
):
    """Ends the watch in its custom id; in direct messages too, which name no server."""

    def __init__(self, watch_id: int, label: str | None = None) -> None:
        # Translators: a button that ends the messages about a trade.
        label = label or tp("button", "Stop")
        super().__init__(discord.ui.Button(label=label, emoji="🔕", custom_id=f"watch:{watch_id}:stop"))
        self._watch_id = watch_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls(int(match["id"]))

    async def callback(self, interaction: Interaction) -> None:
        """End the watch."""
        await handle(interaction, self._stop, in_direct_messages=True)

    async def _stop(self, session: InteractionSession) -> None:
        await session.defer()
        watch = await session.services.watches.stop(self._watch_id, by=session.interaction.user.id)
        if watch is None:
            text = t("You stopped this before, or it has ended. You get no more messages about it.")
        else:
            text = t("You get no more messages about {trade}.", trade=_which(watch))
        await session.reply(card(title=t("🔕 Stopped"), description=text, colour=Tone.NEUTRAL))


def begin_embed(
    watch: Watch, trade: Trade, *, explanations: Explanations, server: str | None, is_own: bool
) -> discord.Embed:
    """Return the first direct message, which shows that messages arrive."""
    return card(
        title=t("🔔 You get a message here when this changes"),
        description=_block(trade, explanations, is_own=is_own),
        fields=[_going_on(watch, trade, server, is_own=is_own)],
        colour=Tone.WAITING,
    )


def change_embed(
    watch: Watch, trade: Trade, *, explanations: Explanations, server: str | None, is_own: bool
) -> discord.Embed:
    """Return the direct message about a change: the same words as on the pages of ``/trades``, but never a code."""
    title = t("🔔 News about a trade")
    if server:
        # Translators: {server} is the name of a Discord server.
        title = t("🔔 News from {server}", server=outside(server, 100))
    return card(
        title=title,
        description=_block(trade, explanations, is_own=is_own),
        fields=[_going_on(watch, trade, server, is_own=is_own)],
        colour=Tone.WAITING if trade.state.is_open else _COLOURS.get(trade.state, Tone.BAD),
    )


def change_line(trade: Trade, *, explanations: Explanations, is_own: bool) -> str:
    """Return the line that a phone shows of the message: the new state, and which trade it is."""
    return headline(trade, explanations=explanations, staff=not is_own)


def end_embed(watch: Watch, why: WatchEnd, server: str | None) -> discord.Embed:
    """Return the direct message about a watch that ends before its trade, with no fact about it."""
    which = _which(watch)
    if why is WatchEnd.TIME:
        text = tn(
            "You watched {trade} for {count} day. It has not ended by now, and SkinDesk stops checking it. If you "
            "still wait, use `/trades reference:{number}` on the server and press *Notify me* under it.",
            "You watched {trade} for {count} days. It has not ended by now, and SkinDesk stops checking it. If you "
            "still wait, use `/trades reference:{number}` on the server and press *Notify me* under it.",
            KEPT_FOR.days,
            trade=which,
            number=watch.trade_id,
        )
    else:
        text = t(
            "You watched {trade}. You are no longer allowed to see it: your Steam link or your roles on the server "
            "have changed. If you did not expect that, ask the staff there.",
            trade=which,
        )
    return card(
        title=t("🔕 You get no more messages about a trade"),
        description="\n".join([text, *_server_line(server)]),
        colour=Tone.NEUTRAL,
    )


def stop_view(watch: Watch, trade: Trade) -> discord.ui.View | None:
    """Return the button under a direct message, unless it was the last one."""
    return _stop_view(watch) if trade.state.is_open else None


_COLOURS = {TradeState.COMPLETED: Tone.GOOD, TradeState.CANCELLED: Tone.NEUTRAL}


def _stop_view(*watches: Watch, named: bool = False) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for watch in watches:
        # Translators: a button that ends the messages about a trade; {trade} is its number.
        label = plain(t("Stop {trade}", trade=watch.trade_id), 70) if named else None
        view.add_item(StopButton(watch.id, label))
    return view


def _block(trade: Trade, explanations: Explanations, *, is_own: bool) -> str:
    """Return a trade as ``/trades`` shows it to a reader who is shown no code."""
    account = trade.owner if is_own else None
    answer = TradesAnswer(Scope.ALL, account, None, (), (trade,), discord.utils.utcnow())
    return trade_block(trade, answer, explanations=explanations, staff=not is_own)


def _going_on(watch: Watch, trade: Trade, server: str | None, *, is_own: bool) -> Field:
    if trade.state.is_open:
        said = _while_open(watch, trade, is_own=is_own)
    else:
        again = t("`/trades reference:{trade}` on the server shows it again.", trade=watch.trade_id)
        said = [t("This was the last message about it."), again]
    return Field(t("What happens next"), "\n".join([paragraph(*said), *_server_line(server)]))


def _while_open(watch: Watch, trade: Trade, *, is_own: bool) -> list[str]:
    """Return how long messages come, and where the trade is shown."""
    has_code = is_own and trade.provider is ProviderName.MANNCO
    said = [
        # Translators: {when} reads "in 14 days".
        t("You get a message at each change until it ends (at the latest: {when}).", when=relative(watch.expires_at)),
        t("`/trades reference:{trade}` on the server shows it with your code.", trade=watch.trade_id)
        if has_code
        else t("`/trades reference:{trade}` on the server shows it at any time.", trade=watch.trade_id),
    ]
    if is_own and trade.state is TradeState.OFFERED:
        said.append(t("**The staff never asks for a code or your password.**"))
    return said


def _server_line(server: str | None) -> list[str]:
    """Return the server, for a reader who may be on several with SkinDesk; nothing if its name is not known."""
    return [t("Server: {server}", server=f"**{outside(server, 100)}**")] if server else []


def _begun(begun: BegunWatch) -> discord.Embed:
    watch = begun.watch
    return card(
        title=t("🔔 You will get a message") if begun.is_new else t("🔔 You already watch this trade"),
        description=t(
            "SkinDesk sends you a direct message at each change of {trade} until it ends (at the latest: {when}). It "
            "checks once a minute at most.",
            trade=_which(watch),
            when=relative(watch.expires_at),
        ),
        colour=Tone.GOOD,
    )


def _too_many(watches: tuple[Watch, ...]) -> discord.Embed:
    most = tn(
        "You can watch {count} trade at a time. Stop one, then press *Notify me* again:",
        "You can watch {count} trades at a time. Stop one, then press *Notify me* again:",
        MOST_WATCHES,
    )
    return card(
        title=tn("🔔 You watch {count} trade already", "🔔 You watch {count} trades already", len(watches)),
        description="\n".join([most, *(f"• {_which(watch)} · {relative(watch.began_at)}" for watch in watches)]),
        colour=Tone.NEUTRAL,
    )


def _which(watch: Watch) -> str:
    return _named(watch.provider, watch.trade_id)


def _named(provider: ProviderName, trade_id: str) -> str:
    return f"{label_for(provider, staff=False)} {code(trade_id, 64)}"


register_messages(
    {
        DirectMessagesClosed: ErrorMessage(
            Message("SkinDesk may not send you direct messages"),
            Message("It could not tell you about this trade, so it does not watch it."),
            Message(
                "Open this server's menu (press its name), choose *Privacy Settings*, and allow direct messages. If "
                "you have blocked SkinDesk, unblock it. Then press *Notify me* again."
            ),
        ),
        TradeHasEnded: lambda error, _: ErrorMessage(
            t("This trade has already ended"),
            t(
                "{trade} does not change any more, so there is nothing to wait for.",
                trade=_named(error.trade.provider, error.trade.id),
            ),
            t("`/trades reference:{trade}` shows how it ended.", trade=error.trade.id),
            again=NOT_AGAIN,
        ),
        TradeNotWatchable: lambda error, _: ErrorMessage(
            t("This trade cannot be watched"),
            t(
                "SkinDesk does not find {trade} among the trades that you may see.",
                trade=_named(error.provider, error.trade_id),
            ),
            t(
                "Check whether `/trades reference:{trade}` still shows it. If it does, ask the staff.",
                trade=error.trade_id,
            ),
        ),
    }
)
