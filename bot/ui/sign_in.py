"""Starts a Steam sign-in from a command or a button, and reports its end there."""

import asyncio
import logging
from contextvars import copy_context

import discord

from bot.domain.links import Link
from bot.domain.sign_in import SignInNames
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.links import signed_in_embed, start_embed, start_view, used_embed

_log = logging.getLogger(__name__)


async def start_sign_in(session: InteractionSession) -> tuple[discord.Embed, discord.ui.View]:
    """Start a sign-in for the user, and return the page with the link to it."""
    interaction = session.interaction
    # discord.py's follow-ups need a context variable, which the browser's request does not have.
    context = copy_context()

    async def tell(link: Link) -> None:
        await asyncio.create_task(_tell(interaction, link), context=context)

    started = await session.services.sign_ins.start(names=_names_of(interaction), tell=tell, by=session.actor)
    return start_embed(started), start_view(started)


def _names_of(interaction: Interaction) -> SignInNames:
    guild = interaction.guild.name if interaction.guild is not None else str(interaction.guild_id)
    return SignInNames(member=interaction.user.display_name, user=interaction.user.name, guild=guild)


async def _tell(interaction: Interaction, link: Link) -> None:
    """Report a finished sign-in by follow-up; the link exists even if Discord refuses that."""
    try:
        await interaction.followup.send(embed=signed_in_embed(link), ephemeral=True)
        await interaction.edit_original_response(embed=used_embed(), view=None)
    except Exception as error:  # noqa: BLE001 -- the account is linked: an error would look as if it were not
        why = f"status={error.status}" if isinstance(error, discord.HTTPException) else f"error={type(error).__name__}"
        _log.info("follow-up to a sign-in refused %s", why)
