"""Direct messages to people who no longer have a Steam account linked to them."""

import logging

import discord

from bot.domain.links import HandOver, HandOverReason
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import outside

_log = logging.getLogger(__name__)


def hand_over_embed(hand_over: HandOver, guild: str | None) -> discord.Embed:
    """Return the message to a former holder. It does not say who has the account now."""
    where = f"on **{outside(guild, 100)}**" if guild else "on a server with SkinDesk"
    account = f"SteamID `{hand_over.steam_id}`"
    what = {
        HandOverReason.REPLACED: f"{account} is no longer linked to you {where}: SteamID `{hand_over.now}` is now.",
        HandOverReason.ENDED: f"{account} is no longer linked to you {where}: the staff ended the link.",
        HandOverReason.TAKEN: f"{account} was linked to you {where} until lately. It is linked to another member now.",
    }[hand_over.reason]
    return card(
        title="Your Steam link has changed",
        description=(
            f"{what}\n\nIf you expected this, there is nothing to do. **If not**, tell the staff there. Then change "
            "your Steam password, and revoke the key at https://steamcommunity.com/dev/apikey if you did not make it. "
            "To link the account to you again, use `/link start` there: it asks you to sign in at Steam.\n\n"
            "The staff never asks for your password or for a code."
        ),
        colour=Tone.WAITING,
    )


class DiscordLinkMessages:
    """Sends them. Call ``connect`` first."""

    def __init__(self) -> None:
        self._client: discord.Client | None = None

    def connect(self, client: discord.Client) -> None:
        """Use this client from now on."""
        self._client = client

    async def tell(self, hand_over: HandOver) -> None:
        """Send the message; a member who takes no direct messages is logged."""
        if self._client is None:
            raise RuntimeError("links are changed before the client exists")
        guild = self._client.get_guild(hand_over.guild_id)
        try:
            channel = await self._client.create_dm(discord.Object(hand_over.user_id))
            await channel.send(embed=hand_over_embed(hand_over, guild.name if guild is not None else None))
        except discord.HTTPException as error:
            _log.info(
                "former holder takes no direct message guild=%s user=%s status=%s code=%s",
                hand_over.guild_id,
                hand_over.user_id,
                error.status,
                error.code,
            )
