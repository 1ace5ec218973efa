"""Asking for a trade to be resent: the button on a trade, its form, and the answer."""

import re
from collections.abc import Mapping
from typing import Protocol, Self, cast

import discord

from bot.domain.access import Capability
from bot.domain.errors import ResendAlreadyOpen
from bot.domain.resends import MAX_REASON
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.modals import SkinDeskModal
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import relative
from bot.ui.resends.buttons import withdraw_view
from bot.ui.resends.channel import DiscordResendCards

_ID = r"resend:ask:(?P<trade>\d{1,19})"


class _Client(Protocol):
    cards: DiscordResendCards


async def ask_to_resend(session: InteractionSession, trade_id: str, reason: str | None) -> None:
    """Request a resend, post its card, and say so. The interaction is deferred already."""
    asked = "the moderators have been asked."
    try:
        resend = await session.services.resends.request(trade_id, by=session.actor, reason=reason)
    except ResendAlreadyOpen as standing:
        if standing.resend is None or not standing.resend.may_be_withdrawn_by(session.actor.user_id):
            raise
        resend, asked = standing.resend, "you have asked for it already, and the moderators know."
    cast(_Client, session.interaction.client).cards.remember(resend.id, session.interaction)
    if resend.message_id is None:
        asked = "it is stored, and the moderators see its card as soon as Discord takes it."
    await session.reply(
        card(
            title=f"⏳ Resend {resend.id} · {resend.state.value}",
            description=(
                f"Trade #{resend.trade_id}: {asked} Nothing is sent before one of them "
                f"approves. The request expires {relative(resend.expires_at)}; you will be told how it ends."
            ),
            colour=Tone.WAITING,
        ),
        view=withdraw_view(resend),
    )


@requires(Capability.RESEND_OWN, Capability.RESEND_ANY)
class AskToResendButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=_ID):
    """Opens the form that asks for the trade in its custom id to be resent."""

    def __init__(self, trade_id: str) -> None:
        super().__init__(
            discord.ui.Button(
                label="Ask to resend",
                emoji="📨",
                style=discord.ButtonStyle.primary,
                custom_id=f"resend:ask:{trade_id}",
            )
        )
        self._trade_id = trade_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls(match["trade"])

    async def callback(self, interaction: Interaction) -> None:
        """Ask for the reason."""
        await handle(interaction, self._open_form)

    async def _open_form(self, session: InteractionSession) -> None:
        """Open the form if the user may ask. Only the database is asked: a modal has to be the first answer."""
        await session.services.trade_context.check_may_ask(by=session.actor)
        await session.open_modal(AskModal(self._trade_id))


@requires(Capability.RESEND_OWN, Capability.RESEND_ANY)
class AskModal(SkinDeskModal, template=_ID + ":reason"):
    """Asks why a trade should be resent."""

    reason: discord.ui.TextInput["AskModal"] = discord.ui.TextInput(
        label="Why? The moderator reads it",
        custom_id="reason",
        style=discord.TextStyle.paragraph,
        placeholder="for example: I declined the offer by mistake",
        max_length=MAX_REASON,
        required=False,
    )

    def __init__(self, trade_id: str) -> None:
        super().__init__(title=f"Ask to resend trade {trade_id}", custom_id=f"resend:ask:{trade_id}:reason")
        self._trade_id = trade_id

    @classmethod
    def from_custom_id(cls, match: re.Match[str], /) -> Self:
        """Rebuild the submitted modal."""
        return cls(match["trade"])

    async def submitted(self, session: InteractionSession, values: Mapping[str, str]) -> None:
        """Request the resend."""
        await session.defer()
        await ask_to_resend(session, self._trade_id, values.get("reason"))
