"""*Notify me* under a trade, *Stop*, and the pages and messages about watched trades."""

import re
from typing import Self

import discord

from bot.domain.access import Capability
from bot.domain.errors import DirectMessagesClosed, TradeHasEnded, TradeNotWatchable
from bot.domain.failures import ProviderName
from bot.domain.snapshots import TradesAnswer
from bot.domain.trades import Scope, Trade, TradeState
from bot.domain.watches import MOST_WATCHES, Watch, WatchEnd
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
        super().__init__(discord.ui.Button(label="Notify me", emoji="🔔", custom_id=custom_id))
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

    def __init__(self, watch_id: int, label: str = "Stop") -> None:
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
        text = "You stopped this before, or it has ended. You get no more messages about it."
        if watch is not None:
            text = f"You get no more messages about {_which(watch)}."
        await session.reply(card(title="🔕 Stopped", description=text, colour=Tone.NEUTRAL))


def begin_embed(
    watch: Watch, trade: Trade, *, explanations: Explanations, server: str | None, is_own: bool
) -> discord.Embed:
    """Return the first direct message, which shows that messages arrive."""
    return card(
        title="🔔 You get a message here when this changes",
        description=_block(trade, explanations, is_own=is_own),
        fields=[_going_on(watch, trade, server, is_own=is_own)],
        colour=Tone.WAITING,
    )


def change_embed(
    watch: Watch, trade: Trade, *, explanations: Explanations, server: str | None, is_own: bool
) -> discord.Embed:
    """Return the direct message about a change: the same words as on the pages of ``/trades``, but never a code."""
    return card(
        title=f"🔔 News from {outside(server, 100) if server else 'your trade'}",
        description=_block(trade, explanations, is_own=is_own),
        fields=[_going_on(watch, trade, server, is_own=is_own)],
        colour=Tone.WAITING if trade.state.is_open else _COLOURS.get(trade.state, Tone.BAD),
    )


def change_line(trade: Trade, *, explanations: Explanations, is_own: bool) -> str:
    """Return the line that a phone shows of the message: which trade, and its new state."""
    return headline(trade, explanations=explanations, staff=not is_own)


def end_embed(watch: Watch, why: WatchEnd, server: str | None) -> discord.Embed:
    """Return the direct message about a watch that ends before its trade, with no fact about it."""
    if why is WatchEnd.TIME:
        text = (
            f"You began to watch {_which(watch)} {relative(watch.began_at)}. It has not ended by now, and SkinDesk "
            f"stops asking. If you still wait, {_trades_command(watch, server)} shows it, with *Notify me* under it."
        )
    else:
        text = (
            f"You watched {_which(watch)}. You may not see it any more, because your Steam link or your "
            f"roles{_in(server)} have changed. If you did not expect that, ask the staff there."
        )
    return card(title="🔕 You get no more messages about a trade", description=text, colour=Tone.NEUTRAL)


def stop_view(watch: Watch, trade: Trade) -> discord.ui.View | None:
    """Return the button under a direct message, unless it was the last one."""
    return _stop_view(watch) if trade.state.is_open else None


_COLOURS = {TradeState.COMPLETED: Tone.GOOD, TradeState.CANCELLED: Tone.NEUTRAL}


def _stop_view(*watches: Watch, named: bool = False) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for watch in watches:
        view.add_item(StopButton(watch.id, plain(f"Stop {watch.trade_id}", 70) if named else "Stop"))
    return view


def _block(trade: Trade, explanations: Explanations, *, is_own: bool) -> str:
    """Return a trade as ``/trades`` shows it to a reader who is shown no code."""
    account = trade.owner if is_own else None
    answer = TradesAnswer(Scope.ALL, account, None, (), (trade,), discord.utils.utcnow())
    return trade_block(trade, answer, explanations=explanations, staff=not is_own)


def _going_on(watch: Watch, trade: Trade, server: str | None, *, is_own: bool) -> Field:
    command = _trades_command(watch, server)
    if not trade.state.is_open:
        return Field("How this goes on", f"This was the last message about it. {command} shows it again.")
    text = f"You get a message at each change until it ends, or until {relative(watch.expires_at)}. {command} shows it"
    text += " with your code." if is_own and trade.provider is ProviderName.MANNCO else " at any time."
    if is_own and trade.state is TradeState.OFFERED:
        text += " **The staff never asks for a code or your password.**"
    return Field("How this goes on", text)


def _begun(begun: BegunWatch) -> discord.Embed:
    watch = begun.watch
    return card(
        title="🔔 You will get a message" if begun.is_new else "🔔 You watch this already",
        description=(
            f"SkinDesk sends you a direct message at each change of {_which(watch)} until it ends, or until "
            f"{relative(watch.expires_at)}. It asks the provider once a minute at most."
        ),
        colour=Tone.GOOD,
    )


def _too_many(watches: tuple[Watch, ...]) -> discord.Embed:
    lines = [f"• {_which(watch)}, since {relative(watch.began_at)}" for watch in watches]
    return card(
        title=f"🔔 You watch {len(watches)} trades already",
        description="\n".join(
            [f"{MOST_WATCHES} at a time is the most. Stop one, then press *Notify me* again:", *lines]
        ),
        colour=Tone.NEUTRAL,
    )


def _which(watch: Watch) -> str:
    return f"{label_for(watch.provider, staff=False)} {code(watch.trade_id, 64)}"


def _trades_command(watch: Watch, server: str | None) -> str:
    return f"`/trades reference:{watch.trade_id}`{_in(server)}"


def _in(server: str | None) -> str:
    return f" on **{outside(server, 100)}**" if server else " on its server"


register_messages(
    {
        DirectMessagesClosed: ErrorMessage(
            "SkinDesk may not send you direct messages",
            "So it could not tell you about this trade. Nothing is watched.",
            "Open this server's menu (press its name), choose *Privacy Settings*, and allow direct messages. If you "
            "have blocked SkinDesk, unblock it. Then press *Notify me* again.",
        ),
        TradeHasEnded: lambda error, _: ErrorMessage(
            "This has ended already",
            f"{label_for(error.trade.provider, staff=False)} {code(error.trade.id, 64)} does not change any more, so "
            "there is nothing to wait for.",
            f"`/trades reference:{error.trade.id}` shows how it ended.",
            again=NOT_AGAIN,
        ),
        TradeNotWatchable: lambda error, _: ErrorMessage(
            "This trade cannot be followed",
            f"{label_for(error.provider, staff=False)} shows SkinDesk no trade {code(error.trade_id, 64)} that you may "
            "see. Nothing is watched.",
            f"Look whether `/trades reference:{error.trade_id}` still shows it. If it does, ask the staff.",
        ),
    }
)
