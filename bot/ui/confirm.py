"""Asks before what cannot be undone: what will happen, a button that does it, and a way out."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Self, TypeAlias

import discord

from bot.domain.errors import NotLinked, NotYourPage, PageExpired
from bot.domain.links import RELINK_COOL_DOWN, Link
from bot.languages import Message, paragraph, t, tn
from bot.ui.interaction.error_handler import handle, register_controls
from bot.ui.interaction.rights import public
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Tone, card
from bot.ui.links import removed_embed
from bot.ui.mydata_page import erased_page
from bot.ui.sign_in import start_sign_in

ASKED_FOR = timedelta(minutes=10)
"""How long a question can be answered; after that the facts in it may be others."""

_EXACT_TO = timedelta(seconds=1)
"""Precision of the time in a custom id."""

_HOURS = RELINK_COOL_DOWN // timedelta(hours=1)

Page: TypeAlias = tuple[discord.Embed, discord.ui.View | None]


def ask_to_erase(session: InteractionSession, link: Link | None) -> Page:
    """Return the question before a member's data is erased."""
    lines = [t("At once, on this server only, and for good:")]
    if link is not None:
        ends = t("The link to your SteamID {account} ends.", account=f"`{link.steam_id}`")
        lines.append(f"• {paragraph(ends, _remembered())}")
    lines += [
        f"• {t('Your ended requests for resends no longer name you, nor does the audit log.')}",
        f"• {t('Answers with pages, trades you watch, notes about you and your last errors are deleted.')}",
        t("Requests that are open or younger than 24 hours stay for now. What you did to others as staff stays, too."),
        t("`/mydata export` gives you a copy of everything before."),
    ]
    return _question(t("Erase your data on this server?"), lines, "forget", session)


def ask_to_unlink(session: InteractionSession, link: Link) -> Page:
    """Return the question before a member's own link is removed."""
    lines = [
        t(
            "SteamID {account} is then no longer yours here: you can no longer see its trades and inventory.",
            account=f"`{link.steam_id}`",
        ),
        _remembered(),
    ]
    return _question(t("Remove the link to your Steam account?"), lines, "unlink", session)


def ask_to_relink(session: InteractionSession, link: Link) -> Page:
    """Return the question before a linked member signs in at Steam again."""
    lines = [
        t(
            "SteamID {account} is linked to you. Signing in with it again only proves that it is yours.",
            account=f"`{link.steam_id}`",
        ),
        tn(
            "**Another** account takes the place of this one, and you have to wait {count} hour before you can "
            "ask for resends of your own trades.",
            "**Another** account takes the place of this one, and you have to wait {count} hours before you can "
            "ask for resends of your own trades.",
            _HOURS,
        ),
    ]
    return _question(t("Sign in at Steam again?"), lines, "relink", session)


def _remembered() -> str:
    return tn(
        "SkinDesk remembers it for {count} hour. If you link another account in that time, or another member links "
        "this one, you or they have to wait before asking for resends.",
        "SkinDesk remembers it for {count} hours. If you link another account in that time, or another member links "
        "this one, you or they have to wait before asking for resends.",
        _HOURS,
    )


async def sign_in_page(session: InteractionSession) -> Page:
    """Start a sign-in and return the page with the link to it; a linked member is asked first."""
    status = await session.services.links.status(by=session.actor)
    if status is None or not session.services.sign_ins.is_on:
        return await start_sign_in(session)
    return ask_to_relink(session, status.link)


def _question(title: str, lines: list[str], action: str, session: InteractionSession) -> Page:
    view = discord.ui.View(timeout=None)
    for each in (action, "keep"):
        view.add_item(ConfirmButton(each, session.actor.user_id, session.services.clock.now()))
    return card(title=title, description="\n".join(lines), colour=Tone.WAITING), view


async def _erase(session: InteractionSession) -> Page:
    return erased_page(await session.services.my_data.erase(by=session.actor)), None


async def _unlink(session: InteractionSession) -> Page:
    return removed_embed(await session.services.links.remove_own(by=session.actor)), None


async def _keep(_session: InteractionSession) -> Page:
    return card(title=t("Nothing was changed"), description=t("Everything is as it was."), colour=Tone.NEUTRAL), None


_ACTIONS: dict[str, tuple[Message, discord.ButtonStyle, Callable[[InteractionSession], Awaitable[Page]]]] = {
    "forget": (Message("Forget me now"), discord.ButtonStyle.danger, _erase),
    "unlink": (Message("Remove link"), discord.ButtonStyle.danger, _unlink),
    "relink": (Message("Sign in again"), discord.ButtonStyle.primary, start_sign_in),
    "keep": (Message("Keep it as it is"), discord.ButtonStyle.secondary, _keep),
}


@public("it carries out only what its presser was asked about themselves")
class ConfirmButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"confirm:(?P<action>forget|unlink|relink|keep):(?P<user>\d{1,20}):(?P<at>\d{1,11})",
):
    """Answers a question. Only the user who was asked can, for :data:`ASKED_FOR`."""

    def __init__(self, action: str, user_id: int, asked_at: datetime) -> None:
        label, style, _ = _ACTIONS[action]
        custom_id = f"confirm:{action}:{user_id}:{int(asked_at.timestamp())}"
        super().__init__(discord.ui.Button(label=label(), style=style, custom_id=custom_id))
        self._action = action
        self._user_id = user_id
        self._asked_at = asked_at

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls(match["action"], int(match["user"]), datetime.fromtimestamp(int(match["at"]), UTC))

    async def callback(self, interaction: Interaction) -> None:
        """Do what the label says, in place of the question."""
        await handle(interaction, self._answer)

    async def _answer(self, session: InteractionSession) -> None:
        if session.actor.user_id != self._user_id:
            raise NotYourPage
        if session.services.clock.now() - self._asked_at > ASKED_FOR:
            raise PageExpired
        await session.defer(thinking=False)
        status = await session.services.links.status(by=session.actor)
        if status is not None and status.link.linked_at >= self._asked_at + _EXACT_TO:
            raise PageExpired  # the question names the link before this one
        _, _, act = _ACTIONS[self._action]
        await session.show(*await act(session))


@public("it links only its presser")
class SignInButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"link:start"):
    """Starts a sign-in, as ``/link start`` does."""

    def __init__(self) -> None:
        style = discord.ButtonStyle.primary
        super().__init__(discord.ui.Button(label=t("Sign in at Steam"), style=style, custom_id="link:start"))

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], _match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls()

    async def callback(self, interaction: Interaction) -> None:
        """Show the link to a sign-in page."""
        await handle(interaction, self._start)

    async def _start(self, session: InteractionSession) -> None:
        await session.defer()
        embed, view = await sign_in_page(session)
        await session.reply(embed, view=view)


def _sign_in(session: InteractionSession) -> discord.ui.View | None:
    """Return the button under the refusal of a member without a link, if members can sign in."""
    if not session.services.sign_ins.is_on:
        return None
    view = discord.ui.View(timeout=None)
    view.add_item(SignInButton())
    return view


register_controls(NotLinked, _sign_in)
