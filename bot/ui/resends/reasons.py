"""The reason of a decision: the usual ones for a denial in a menu, and the form for any other."""

import re
from collections.abc import Mapping
from typing import Self

import discord

from bot.domain.access import Capability
from bot.domain.resends import MAX_REASON, CardMessage
from bot.languages import Message, t
from bot.ui.interaction.components import custom_ids, offered, selected
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.modals import SkinDeskModal
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import plain
from bot.ui.resends.card import decision_embed
from bot.ui.resends.usual_reasons import USUAL_REASONS

_OTHER = "other"
_MENU = re.compile(r"resend:(?P<id>\d{1,18}):why(?::(?P<channel>\d{1,20}):(?P<message>\d{1,20}))?")
_TITLES = {
    # Translators: titles, at most 35 characters without the number
    "deny": Message("Deny resend {id}"),
    "sent": Message("Mark resend {id} as sent"),
    "failed": Message("Mark resend {id} as failed"),
}
_MOST_OF_TITLE = 45
_MOST_OF_OPTION = 100
"""Discord's limits in characters."""


def card_of(session: InteractionSession) -> CardMessage | None:
    """Return the message of SkinDesk that was pressed, or from which a form or a menu was opened.

    The menu's custom id has the card. It is read from the message, because a submitted form's custom id can be forged.
    """
    message, user = session.interaction.message, session.interaction.client.user
    if message is None or user is None or message.author.id != user.id:
        return None
    menu = _menu_on(message)
    return CardMessage(message.channel.id, message.id) if menu is None else _card_in(menu)


def denial_menu(resend_id: int, card_pressed: CardMessage | None) -> tuple[discord.Embed, discord.ui.View]:
    """Return the question why a request is denied, with the menu of reasons."""
    embed = card(
        title=_TITLES["deny"](id=resend_id),
        description=t("Choose the reason. Requester and owner read the sentence under it."),
        colour=Tone.NEUTRAL,
    )
    options = [
        discord.SelectOption(
            label=plain(label(), _MOST_OF_OPTION), value=value, description=plain(sentence(), _MOST_OF_OPTION)
        )
        for value, (label, sentence) in USUAL_REASONS.items()
    ]
    other = discord.SelectOption(label=t("Other reason…"), value=_OTHER, description=t("Write it, or give none."))
    options.append(other)
    view = discord.ui.View(timeout=None)
    view.add_item(DenialSelect(resend_id, card_pressed, options))
    return embed, view


@requires(Capability.APPROVE_RESEND)
class DenialSelect(
    discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]],
    template=_MENU.pattern,
):
    """Denies the request for the selected reason. The custom id has the card whose button asked."""

    def __init__(self, resend_id: int, card_pressed: CardMessage | None, options: list[discord.SelectOption]) -> None:
        custom_id = f"resend:{resend_id}:why{_card_part(card_pressed)}"
        super().__init__(discord.ui.Select(placeholder=t("Why is it denied?"), options=options, custom_id=custom_id))
        self._resend_id = resend_id
        self._card = card_pressed

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the used menu with the options of its message."""
        return cls(int(match["id"]), _card_in(match), offered(item))

    async def callback(self, interaction: Interaction) -> None:
        """Deny, or open the form."""
        await handle(interaction, self._deny)

    async def _deny(self, session: InteractionSession) -> None:
        resends, actor, value = session.services.resends, session.actor, selected(self.item)
        if value == _OTHER:  # only the database is asked: a modal has to be the first answer
            await resends.may_decide(self._resend_id, by=actor)
            await session.open_modal(ReasonModal(self._resend_id, "deny", user_id=actor.user_id))
            return
        await session.defer(thinking=False)
        _, sentence = USUAL_REASONS[value]
        resend = await resends.deny(self._resend_id, by=actor, reason=sentence.english, card=self._card)
        await session.show(decision_embed(resend), None)


@requires(Capability.APPROVE_RESEND)
class ReasonModal(
    SkinDeskModal,
    template=r"resend:(?P<id>\d{1,18}):(?P<action>deny|sent|failed):reason:(?P<user>\d{1,20})",
):
    """Asks for the reason, which the card shows."""

    def __init__(self, resend_id: int, action: str, *, user_id: int) -> None:
        super().__init__(
            title=plain(_TITLES[action](id=resend_id), _MOST_OF_TITLE),
            custom_id=f"resend:{resend_id}:{action}:reason:{user_id}",
        )
        self.add_item(
            discord.ui.TextInput(
                # Translators: at most 45 characters
                label=t("Reason, for requester and owner"),
                custom_id="reason",
                style=discord.TextStyle.paragraph,
                max_length=MAX_REASON,
                required=False,
            )
        )
        self._resend_id = resend_id
        self._action = action

    @classmethod
    def from_custom_id(cls, match: re.Match[str], /) -> Self:
        """Rebuild the submitted modal."""
        return cls(int(match["id"]), match["action"], user_id=int(match["user"]))

    async def submitted(self, session: InteractionSession, values: Mapping[str, str]) -> None:
        """Carry out the decision."""
        message, reason, card = session.interaction.message, values.get("reason", ""), card_of(session)
        is_in_menu = message is not None and _menu_on(message) is not None
        await session.defer(thinking=not is_in_menu)
        resends, actor = session.services.resends, session.actor
        if self._action == "deny":
            resend = await resends.deny(self._resend_id, by=actor, reason=reason, card=card)
        else:
            sent = self._action == "sent"
            resend = await resends.mark(self._resend_id, sent=sent, by=actor, reason=reason, card=card)
        if is_in_menu:
            await session.show(decision_embed(resend), None)
        else:
            await session.reply(decision_embed(resend))


def _menu_on(message: discord.Message) -> re.Match[str] | None:
    """Return the custom id of the menu of a denial, if the message has one."""
    return next(filter(None, map(_MENU.fullmatch, custom_ids(message))), None)


def _card_part(message: CardMessage | None) -> str:
    return "" if message is None else f":{message.channel_id}:{message.message_id}"


def _card_in(match: re.Match[str]) -> CardMessage | None:
    return None if match["message"] is None else CardMessage(int(match["channel"]), int(match["message"]))
