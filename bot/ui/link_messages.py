"""Direct messages to people who no longer have a Steam account linked to them."""

import logging

import discord

from bot.domain.links import HandOver, HandOverReason
from bot.languages import Message, in_language, t
from bot.ui.interaction.server_language import server_language
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import outside

_log = logging.getLogger(__name__)

_KEY_PAGE = "https://steamcommunity.com/dev/apikey"


_WHAT = {
    HandOverReason.REPLACED: Message("SteamID `{account}` is no longer linked to you: SteamID `{now}` is now."),
    HandOverReason.ENDED: Message("SteamID `{account}` is no longer linked to you: the staff ended the link."),
    HandOverReason.TAKEN: Message(
        "SteamID `{account}` was linked to you until recently. It is linked to another member now."
    ),
}


def hand_over_embed(hand_over: HandOver, guild: str | None) -> discord.Embed:
    """Return the message to a former holder. It does not say who has the account now."""
    what = _WHAT[hand_over.reason](account=hand_over.steam_id, now=hand_over.now)
    # Translators: {server} is the name of a Discord server
    where = (
        t("Server: **{server}**", server=outside(guild, 100)) if guild else t("This is about a server with SkinDesk.")
    )
    return card(
        title=t("Your Steam link has changed"),
        description="\n\n".join(
            (
                f"{what}\n{where}",
                t(
                    "If you expected this, there is nothing to do. **If not**, tell the staff there. Then change your "
                    "Steam password, and revoke the key at {page} if you did not make it. To link the account to you "
                    "again, use `/link start` there: it asks you to sign in at Steam.",
                    page=_KEY_PAGE,
                ),
                t("The staff never asks for your password or for a code."),
            )
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
        """Send the message, in the server's language; a member who takes no direct messages is logged."""
        if self._client is None:
            raise RuntimeError("links are changed before the client exists")
        guild = self._client.get_guild(hand_over.guild_id)
        with in_language(await server_language(self._client, hand_over.guild_id)):
            embed = hand_over_embed(hand_over, guild.name if guild is not None else None)
        try:
            channel = await self._client.create_dm(discord.Object(hand_over.user_id))
            await channel.send(embed=embed)
        except discord.HTTPException as error:
            _log.info(
                "former holder takes no direct message guild=%s user=%s status=%s code=%s",
                hand_over.guild_id,
                hand_over.user_id,
                error.status,
                error.code,
            )
