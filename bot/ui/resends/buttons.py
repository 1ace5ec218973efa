"""The buttons of an approval card, and those that pause and resume a server's resends."""

import logging
import re
from typing import Self

import discord

from bot.domain.access import Capability
from bot.domain.errors import AlreadyDecided, CardOutdated, CardReplaced
from bot.domain.resends import Resend, ResendState
from bot.languages import Message, in_language, paragraph, t, tp
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.rights import public, requires
from bot.ui.interaction.server_language import server_language
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Tone, card
from bot.ui.resends.card import decision_embed, late_card, outcome_embed, version_on
from bot.ui.resends.reasons import ReasonModal, card_of, denial_menu
from bot.ui.resends.states import RESUME, taken_sentence

_log = logging.getLogger(__name__)

_LABELS = {
    "approve": (Message("Approve", "button"), "✅", discord.ButtonStyle.success),
    "deny": (Message("Deny", "button"), "⛔", discord.ButtonStyle.danger),
    "sent": (Message("Mark as sent", "button"), "✅", discord.ButtonStyle.secondary),
    "failed": (Message("Mark as failed", "button"), "❌", discord.ButtonStyle.secondary),
}


def resend_view(resend: Resend) -> discord.ui.View | None:
    """Return the buttons for the state of a request, if it is not settled."""
    actions = {ResendState.PENDING: ("approve", "deny"), ResendState.UNKNOWN: ("sent", "failed")}.get(resend.state)
    if actions is None:
        return None
    view = discord.ui.View(timeout=None)
    for action in actions:
        view.add_item(ResendButton(resend.id, action))
    view.add_item(TakeButton(resend.id, resend.taken_by))
    return view


@requires(Capability.APPROVE_RESEND)
class ResendButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"resend:(?P<id>\d{1,18}):(?P<action>approve|deny|sent|failed)",
):
    """Decides on the request in its custom id."""

    def __init__(self, resend_id: int, action: str) -> None:
        label, emoji, style = _LABELS[action]
        super().__init__(
            discord.ui.Button(label=label(), emoji=emoji, style=style, custom_id=f"resend:{resend_id}:{action}")
        )
        self._resend_id = resend_id
        self._action = action

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls(int(match["id"]), match["action"])

    async def callback(self, interaction: Interaction) -> None:
        """Approve, or ask for the reason of any other decision."""
        await handle(interaction, self._decide)

    async def _decide(self, session: InteractionSession) -> None:
        await _check_pressed(session, self._resend_id)
        await (self._approve(session) if self._action == "approve" else self._ask(session))

    async def _approve(self, session: InteractionSession) -> None:
        await session.defer()
        seen = version_on(session.interaction.message, self._resend_id)
        resends, card = session.services.resends, card_of(session)
        try:
            resend = await resends.approve(self._resend_id, by=session.actor, seen=seen, card=card)
        except CardOutdated:
            await _uncover(session.interaction.message)
            raise
        await session.reply(decision_embed(resend))

    async def _ask(self, session: InteractionSession) -> None:
        """Ask for the reason if the user may decide. Only the database is asked: a modal has to be the first answer."""
        resends, actor = session.services.resends, session.actor
        if self._action == "deny":
            session.defer_if_slow()
            await resends.may_decide(self._resend_id, by=actor)
            embed, view = denial_menu(self._resend_id, card_of(session))
            await session.reply(embed, view=view)
        else:
            await resends.may_mark(self._resend_id, by=actor)
            await session.open_modal(ReasonModal(self._resend_id, self._action, user_id=actor.user_id))


async def _check_pressed(session: InteractionSession, resend_id: int) -> None:
    """Remove the buttons of a pressed message if they are of no use any more, and raise why."""
    if (card := card_of(session)) is not None:
        try:
            await session.services.resends.check_card(resend_id, card, by=session.actor)
        except (CardReplaced, AlreadyDecided) as late:
            # The click's own answer is not limited as an edit of the card is.
            with in_language(await server_language(session.interaction.client, session.actor.guild_id)):
                embed = late_card(late, session.services.explanations)
            await session.show(embed, None)
            raise


@requires(Capability.APPROVE_RESEND)
class TakeButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"resend:(?P<id>\d{1,18}):take(?::(?P<holder>\d{1,20}))?",
):
    """Shows that a moderator is on the request, in the place of the holder in its custom id; that one releases it."""

    def __init__(self, resend_id: int, holder: int | None) -> None:
        custom_id = f"resend:{resend_id}:take" + ("" if holder is None else f":{holder}")
        label = tp("button", "Take") if holder is None else tp("button", "Take over / release")
        super().__init__(discord.ui.Button(label=label, emoji="👀", custom_id=custom_id))
        self._resend_id = resend_id
        self._holder = holder

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls(int(match["id"]), int(match["holder"]) if match["holder"] else None)

    async def callback(self, interaction: Interaction) -> None:
        """Take the request, take it over, or release it."""
        await handle(interaction, self._take)

    async def _take(self, session: InteractionSession) -> None:
        await _check_pressed(session, self._resend_id)
        await session.defer()
        resend = await session.services.resend_queue.take(
            self._resend_id, by=session.actor, holder=self._holder, card=card_of(session)
        )
        sentences = [taken_sentence(resend)]
        if resend.taken_by == session.actor.user_id:
            sentences = [t("You are on it now, and its card says so. Press the button again to release it.")]
            if self._holder not in (None, resend.taken_by):
                sentences.insert(0, t("Taken over from {moderator}.", moderator=f"<@{self._holder}>"))
        elif resend.taken_by is not None:
            sentences.append(t("Nothing was changed. To take it over, press *Take over / release* on the card."))
        title = f"👀 {t('Resend {id}', id=resend.id)}"
        await session.reply(card(title=title, description=paragraph(*sentences), colour=Tone.NEUTRAL))


def withdraw_view(resend: Resend) -> discord.ui.View | None:
    """Return the button for the requester of a pending request."""
    if resend.state is not ResendState.PENDING:
        return None
    view = discord.ui.View(timeout=None)
    view.add_item(WithdrawButton(resend.id))
    return view


@public("it withdraws the caller's own request only")
class WithdrawButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"resend:(?P<id>\d{1,18}):withdraw"
):
    """Withdraws the request in its custom id."""

    def __init__(self, resend_id: int, label: str | None = None) -> None:
        label = label or tp("a resend request", "Withdraw")
        super().__init__(discord.ui.Button(label=label, emoji="↩️", custom_id=f"resend:{resend_id}:withdraw"))
        self._resend_id = resend_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls(int(match["id"]))

    async def callback(self, interaction: Interaction) -> None:
        """Withdraw."""
        await handle(interaction, self._withdraw)

    async def _withdraw(self, session: InteractionSession) -> None:
        await session.defer()
        resend = await session.services.resends.withdraw(self._resend_id, by=session.actor)
        await session.reply(outcome_embed(resend, reader=session.actor.user_id, code=None))


async def _uncover(card: discord.Message | None) -> None:
    """Show the embed of a card again if a moderator has hidden it: an edit of the embed does not."""
    if card is None or not card.flags.suppress_embeds:
        return
    try:
        await card.edit(suppress=False)
    except Exception as error:  # noqa: BLE001 -- what is told is that the card was outdated
        _log.warning("card not uncovered message=%s error=%s", card.id, type(error).__name__)


@requires(Capability.APPROVE_RESEND, Capability.MANAGE_SETTINGS)
class PauseButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"resends:pause"):
    """Pauses a server's resends."""

    def __init__(self) -> None:
        label, style = tp("button", "Stop resends"), discord.ButtonStyle.danger
        super().__init__(discord.ui.Button(label=label, emoji="🛑", style=style, custom_id="resends:pause"))

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], _match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls()

    async def callback(self, interaction: Interaction) -> None:
        """Pause."""
        await handle(interaction, self._pause)

    async def _pause(self, session: InteractionSession) -> None:
        await session.defer()
        changed = await session.services.pauses.pause(by=session.actor)
        title = t("🛑 Resends are stopped") if changed else t("🛑 Resends were already stopped")
        text = t("Until they are resumed, no resend can be asked for, approved or sent on this server.")
        await session.reply(card(title=title, description=paragraph(text, RESUME), colour=Tone.NEUTRAL))


@requires(Capability.MANAGE_SETTINGS)
class ResumeButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"resends:resume(?::(?P<number>\d{1,15}))?"
):
    """Resumes a server's resends, if they are paused by the pause that it was shown with."""

    def __init__(self, number: int | None) -> None:
        custom_id = "resends:resume" if number is None else f"resends:resume:{number}"
        label, style = tp("button", "Resume resends"), discord.ButtonStyle.secondary
        super().__init__(discord.ui.Button(label=label, emoji="▶️", style=style, custom_id=custom_id))
        self._number = number

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls(int(match["number"]) if match["number"] else None)

    async def callback(self, interaction: Interaction) -> None:
        """Resume."""
        await handle(interaction, self._resume)

    async def _resume(self, session: InteractionSession) -> None:
        await session.defer()
        changed = await session.services.pauses.resume(self._number, by=session.actor)
        title = t("▶️ Resends go on") if changed else t("▶️ Resends were not stopped")
        text = t("Resends can be asked for and approved again.") if changed else t("Nothing was changed.")
        await session.reply(card(title=title, description=text, colour=Tone.NEUTRAL))
