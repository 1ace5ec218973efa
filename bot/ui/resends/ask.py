"""Asking for a trade to be resent: the button on a trade, its form, and the answer."""

import re
from collections.abc import Mapping
from typing import Protocol, Self, cast

import discord

from bot.domain.access import Capability
from bot.domain.errors import ResendAlreadyOpen
from bot.domain.resends import MAX_REASON
from bot.languages import paragraph, t, tp
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.modals import SkinDeskModal
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import plain, relative
from bot.ui.resends.buttons import withdraw_view
from bot.ui.resends.channel import DiscordResendCards
from bot.ui.resends.states import state_title

_MOST_OF_TITLE = 45
"""Discord's limit in characters."""

_ID = r"resend:ask:(?P<trade>\d{1,19})"


class _Client(Protocol):
    cards: DiscordResendCards


async def ask_to_resend(session: InteractionSession, trade_id: str, reason: str | None) -> None:
    """Request a resend, post its card, and say so. The interaction is deferred already."""
    is_new = True
    try:
        resend = await session.services.resends.request(trade_id, by=session.actor, reason=reason)
    except ResendAlreadyOpen as standing:
        if standing.resend is None or not standing.resend.may_be_withdrawn_by(session.actor.user_id):
            raise
        resend, is_new = standing.resend, False
    cast(_Client, session.interaction.client).cards.remember(resend.id, session.interaction)
    if resend.message_id is None:
        asked = t(
            "Your request for trade #{trade} is stored. The moderators see it as soon as Discord takes its card.",
            trade=resend.trade_id,
        )
    elif is_new:
        asked = t("The moderators have been asked to resend trade #{trade}.", trade=resend.trade_id)
    else:
        asked = t("You have already asked for trade #{trade}, and the moderators know.", trade=resend.trade_id)
    # Translators: {when} is like "in 5 minutes"
    then = t(
        "Nothing is sent before one of them approves. The request expires {when}. You will be told how it ends.",
        when=relative(resend.expires_at),
    )
    await session.reply(
        card(title=state_title(resend), description=paragraph(asked, then), colour=Tone.WAITING),
        view=withdraw_view(resend),
    )


@requires(Capability.RESEND_OWN, Capability.RESEND_ANY)
class AskToResendButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=_ID):
    """Opens the form that asks for the trade in its custom id to be resent."""

    def __init__(self, trade_id: str) -> None:
        super().__init__(
            discord.ui.Button(
                label=tp("button", "Ask to resend"),
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

    def __init__(self, trade_id: str) -> None:
        title = plain(t("Ask to resend trade {trade}", trade=trade_id), _MOST_OF_TITLE)
        super().__init__(title=title, custom_id=f"resend:ask:{trade_id}:reason")
        self.add_item(
            discord.ui.TextInput(
                # Translators: at most 45 characters
                label=t("Why? The moderator reads it"),
                custom_id="reason",
                style=discord.TextStyle.paragraph,
                placeholder=t("for example: I declined the offer by mistake"),
                max_length=MAX_REASON,
                required=False,
            )
        )
        self._trade_id = trade_id

    @classmethod
    def from_custom_id(cls, match: re.Match[str], /) -> Self:
        """Rebuild the submitted modal."""
        return cls(match["trade"])

    async def submitted(self, session: InteractionSession, values: Mapping[str, str]) -> None:
        """Request the resend."""
        await session.defer()
        await ask_to_resend(session, self._trade_id, values.get("reason"))
