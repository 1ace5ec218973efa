"""Posts approval cards, audit entries and messages to requester and owner on Discord."""

import logging

import discord
from cachetools import TTLCache

from bot.domain.audit import AuditRow
from bot.domain.errors import ApprovalsChannelUnusable
from bot.domain.resends import CardEdit, Resend
from bot.domain.secrets import TradeCode
from bot.ports import Explanations
from bot.ui.audit import audit_embed
from bot.ui.interaction.session import Interaction
from bot.ui.resends.buttons import resend_view
from bot.ui.resends.card import outcome_embed, resend_card

_log = logging.getLogger(__name__)

_FOLLOW_UP_FOR = 14 * 60.0
"""Seconds for follow-ups: an interaction's token is valid for 15 minutes."""

_MAX_REMEMBERED = 1_000

_GONE = frozenset({10003, 10008, 50001})
"""Discord's codes for an unknown channel, an unknown message, and a channel that SkinDesk may not see."""


class DiscordResendCards:
    """Posts and edits cards, and notifies requester and owner. Call ``connect`` first."""

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

    async def post(self, resend: Resend, *, channel_id: int) -> int:
        """Post the card and return its message id."""
        channel = self._connected.get_partial_messageable(channel_id, guild_id=resend.guild_id)
        try:
            message = await channel.send(
                embed=resend_card(resend, self._explanations),
                view=resend_view(resend) or discord.utils.MISSING,
                # discord.py sends a POST again after a 5xx; the nonce lets Discord drop the second one.
                nonce=f"resend-{resend.id}-{resend.version}"
                if resend.message_id is None
                else f"re-{resend.message_id}",
            )
        except discord.HTTPException as error:
            _log.warning("card not posted id=%s channel=%s status=%s", resend.id, channel_id, error.status)
            raise ApprovalsChannelUnusable from None
        return message.id

    async def update(self, resend: Resend) -> CardEdit:
        """Update the card, and return whether it shows the request as it is now."""
        if resend.channel_id is None or resend.message_id is None:
            return CardEdit.DOUBTFUL
        channel = self._connected.get_partial_messageable(resend.channel_id, guild_id=resend.guild_id)
        try:
            await channel.get_partial_message(resend.message_id).edit(
                embed=resend_card(resend, self._explanations), view=resend_view(resend)
            )
        except Exception as error:  # noqa: BLE001 -- the action is done all the same
            _log.warning("card not updated id=%s state=%s %s", resend.id, resend.state.value, _why(error))
            is_gone = isinstance(error, discord.HTTPException) and error.code in _GONE
            return CardEdit.GONE if is_gone else CardEdit.DOUBTFUL
        return CardEdit.SHOWN

    async def remove(self, resend: Resend) -> None:
        """Delete the card, or remove its buttons if Discord does not allow that."""
        if resend.channel_id is None or resend.message_id is None:
            return
        channel = self._connected.get_partial_messageable(resend.channel_id, guild_id=resend.guild_id)
        message = channel.get_partial_message(resend.message_id)
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
            channel = await self._connected.create_dm(discord.Object(user_id))
            await channel.send(embed=outcome_embed(resend, code=code))
        except Exception as error:  # noqa: BLE001 -- as above
            _log.info("direct message refused id=%s user=%s %s", resend.id, user_id, _why(error))
            return followed
        return True

    async def _follow_up(self, resend: Resend, user_id: int) -> bool:
        interaction = self._requests.get(resend.id)
        if interaction is None or interaction.user.id != user_id:
            return False
        try:
            await interaction.followup.send(embed=outcome_embed(resend, code=None), ephemeral=True)
        except Exception as error:  # noqa: BLE001 -- as above
            _log.info("follow-up refused id=%s %s", resend.id, _why(error))
            return False
        return True

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
        """Post the row; an unusable channel is logged."""
        if self._client is None:
            raise RuntimeError("the audit channel is used before the client exists")
        channel = self._client.get_partial_messageable(channel_id, guild_id=row.guild_id)
        try:
            await channel.send(embed=audit_embed(row))
        except Exception as error:  # noqa: BLE001 -- the action is done all the same
            _log.warning("audit entry not posted action=%s %s", row.action.value, _why(error))


def _why(error: Exception) -> str:
    """Return the HTTP status or the name of an error, never its text."""
    return f"status={error.status}" if isinstance(error, discord.HTTPException) else f"error={type(error).__name__}"
