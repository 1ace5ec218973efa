"""Posts approval cards, audit entries and messages to requester and owner on Discord."""

import logging

import discord
from cachetools import TTLCache

from bot.domain.audit import AuditRow
from bot.domain.errors import ApprovalsChannelUnusable
from bot.domain.resends import CardEdit, PostedCard, Resend
from bot.domain.secrets import TradeCode
from bot.languages import Language, in_language, of_code
from bot.ports import Explanations
from bot.ui.audit import audit_embed
from bot.ui.interaction.server_language import server_language
from bot.ui.interaction.session import Interaction
from bot.ui.resends.buttons import resend_view
from bot.ui.resends.card import outcome_embed, resend_card

_log = logging.getLogger(__name__)

_FOLLOW_UP_FOR = 14 * 60.0
"""Seconds for follow-ups: an interaction's token is valid for 15 minutes."""

_MAX_REMEMBERED = 1_000

_GONE = frozenset({10003, 10008, 50001, 50005})
"""Discord's codes for an unknown channel, an unknown message, a channel that SkinDesk may not see, and a message of
another bot, as after a change of the token."""

_EDITED_TOO_OFTEN = 30046
"""Discord's code for too many edits of a message that is older than an hour."""

_MAY_PASS = frozenset({401, 408, 429})
"""HTTP statuses of refusals that are not about the channel."""

_SERVER_ERROR = 500


class DiscordResendCards:
    """Posts and edits cards, and notifies requester and owner. Call ``connect`` first.

    Cards are in the server's language; the requester is told in theirs, and the owner in the server's.
    """

    def __init__(self, *, explanations: Explanations) -> None:
        self._explanations = explanations
        self._client: discord.Client | None = None
        self._requests: TTLCache[int, Interaction, float] = TTLCache(_MAX_REMEMBERED, _FOLLOW_UP_FOR)

    def connect(self, client: discord.Client) -> None:
        """Use this client from now on."""
        self._client = client

    def remember(self, resend_id: int, interaction: Interaction) -> None:
        """Keep the requester's interaction for follow-ups."""
        self._requests[resend_id] = interaction

    def evict(self, guild_id: int, user_id: int) -> None:
        """Remove a user's own interactions in a guild from memory."""
        for resend_id, interaction in list(self._requests.items()):
            if (interaction.guild_id, interaction.user.id) == (guild_id, user_id):
                del self._requests[resend_id]

    async def post(self, resend: Resend, *, channel_id: int, mention: int | None = None) -> PostedCard:
        """Post the card; for a nonce seen minutes ago Discord returns the message that it has.

        Only this post mentions a role: Discord notifies no one of an edit, and everything else allows no mentions.
        """
        channel = self._connected.get_partial_messageable(channel_id, guild_id=resend.guild_id)
        embed, view = await self._card(resend)
        role_id = mention if self._is_role(resend.guild_id, mention) else None
        try:
            message = await channel.send(
                content=None if role_id is None else f"<@&{role_id}>",
                embed=embed,
                view=view or discord.utils.MISSING,
                nonce=_nonce(resend),
                allowed_mentions=_allowing(role_id),
            )
        except discord.HTTPException as error:
            _log.warning("card not posted id=%s channel=%s %s", resend.id, channel_id, _why(error))
            if error.status >= _SERVER_ERROR or error.status in _MAY_PASS:
                raise
            raise ApprovalsChannelUnusable from None
        # Not the title alone: in some language two states may have the same word.
        shown = [(each.title, each.description, each.footer.text) for each in message.embeds]
        return PostedCard(message.id, is_current=shown == [(embed.title, embed.description, embed.footer.text)])

    async def update(self, resend: Resend) -> CardEdit:
        """Update the card, and return whether it shows the request as it is now."""
        message = self._message(resend)
        if message is None:
            return CardEdit.DOUBTFUL
        try:
            embed, view = await self._card(resend)
            await message.edit(embed=embed, view=view)
        except Exception as error:  # noqa: BLE001 -- the action is done all the same
            _log.warning("card not updated id=%s state=%s %s", resend.id, resend.state.value, _why(error))
            code = error.code if isinstance(error, discord.HTTPException) else None
            if code == _EDITED_TOO_OFTEN or isinstance(error, discord.RateLimited):
                return CardEdit.LIMITED
            return CardEdit.GONE if code in _GONE else CardEdit.DOUBTFUL
        return CardEdit.SHOWN

    async def is_there(self, resend: Resend) -> bool:
        """Return whether the card can be read. An edit would tell more, but Discord limits those of old messages."""
        message = self._message(resend)
        try:
            if message is not None:
                await message.fetch()
        except (discord.NotFound, discord.Forbidden):
            return False
        except Exception as error:  # noqa: BLE001 -- it is asked again later
            _log.info("card not looked up id=%s %s", resend.id, _why(error))
        return True

    async def remove(self, resend: Resend) -> None:
        """Delete the card, or remove its buttons if Discord does not allow that."""
        message = self._message(resend)
        if message is None:
            return
        try:
            await message.delete()
        except Exception as refused:  # noqa: BLE001 -- a reminder must not make anything else fail
            _log.warning("card not deleted id=%s %s", resend.id, _why(refused))
            if isinstance(refused, discord.HTTPException) and refused.code in _GONE:
                return
            try:
                await message.edit(view=None)
            except Exception as error:  # noqa: BLE001 -- as above
                _log.warning("buttons not removed id=%s %s", resend.id, _why(error))

    async def tell(self, resend: Resend, user_id: int, *, code: TradeCode | None = None) -> bool:
        """Notify a user by follow-up to their own request, or else by direct message; return whether that worked.

        A code is sent by direct message only.
        """
        followed = await self._follow_up(resend, user_id)
        if followed and code is None:
            return True
        try:
            with in_language(await self._language_of(resend, user_id)):
                embed = outcome_embed(resend, reader=user_id, code=code)
            channel = await self._connected.create_dm(discord.Object(user_id))
            await channel.send(embed=embed)
        except Exception as error:  # noqa: BLE001 -- as above
            _log.info("direct message refused id=%s user=%s %s", resend.id, user_id, _why(error))
            return followed
        return True

    async def _follow_up(self, resend: Resend, user_id: int) -> bool:
        interaction = self._requests.get(resend.id)
        if interaction is None or interaction.user.id != user_id:
            return False
        try:
            with in_language(await self._language_of(resend, user_id)):
                embed = outcome_embed(resend, reader=user_id, code=None)
            await interaction.followup.send(embed=embed, ephemeral=True)
        except Exception as error:  # noqa: BLE001 -- as above
            _log.info("follow-up refused id=%s %s", resend.id, _why(error))
            return False
        return True

    async def _card(self, resend: Resend) -> tuple[discord.Embed, discord.ui.View | None]:
        """Return card and buttons in the server's language, not in that of the user who clicked."""
        with in_language(await server_language(self._connected, resend.guild_id)):
            return resend_card(resend, self._explanations), resend_view(resend)

    async def _language_of(self, resend: Resend, user_id: int) -> Language:
        """Return the language of messages to a user: only the requester's is known."""
        if user_id == resend.requested_by and resend.language is not None:
            return of_code(resend.language)
        return await server_language(self._connected, resend.guild_id)

    def _is_role(self, guild_id: int, role_id: int | None) -> bool:
        """Return whether a role can be mentioned: it is not @everyone, and not deleted as far as SkinDesk sees."""
        guild = self._connected.get_guild(guild_id)
        return role_id not in (None, guild_id) and (guild is None or guild.get_role(role_id or 0) is not None)

    def _message(self, resend: Resend) -> discord.PartialMessage | None:
        if resend.channel_id is None or resend.message_id is None:
            return None
        channel = self._connected.get_partial_messageable(resend.channel_id, guild_id=resend.guild_id)
        return channel.get_partial_message(resend.message_id)

    @property
    def _connected(self) -> discord.Client:
        if self._client is None:
            raise RuntimeError("cards are used before the client exists")
        return self._client


class DiscordAuditChannel:
    """Posts audit entries. Call ``connect`` first."""

    def __init__(self) -> None:
        self._client: discord.Client | None = None

    def connect(self, client: discord.Client) -> None:
        """Use this client from now on."""
        self._client = client

    async def post(self, row: AuditRow, *, channel_id: int) -> None:
        """Post the row in the server's language; an unusable channel is logged."""
        if self._client is None:
            raise RuntimeError("the audit channel is used before the client exists")
        channel = self._client.get_partial_messageable(channel_id, guild_id=row.guild_id)
        try:
            with in_language(await server_language(self._client, row.guild_id)):
                embed = audit_embed(row)
            await channel.send(embed=embed)
        except Exception as error:  # noqa: BLE001 -- the action is done all the same
            _log.warning("audit entry not posted action=%s %s", row.action.value, _why(error))


def _allowing(role_id: int | None) -> discord.AllowedMentions:
    """Return what a message may mention: exactly this role, or no one."""
    allowed = discord.AllowedMentions.none()
    if role_id is not None:
        allowed.roles = [discord.Object(role_id)]
    return allowed


def _nonce(resend: Resend) -> str:
    """Return the same nonce for every try to post the same card: the first, or the one that replaces a message.

    Discord takes 25 characters. Ids of requests begin again in another database, so the first card has its time, too.
    """
    if resend.message_id is not None:
        return f"re-{resend.message_id}"
    return f"{resend.id}-{int(resend.requested_at.timestamp() * 1000):x}"[-25:]


def _why(error: Exception) -> str:
    """Return the HTTP status or the name of an error, never its text."""
    return f"status={error.status}" if isinstance(error, discord.HTTPException) else f"error={type(error).__name__}"
