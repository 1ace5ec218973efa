"""The one funnel that turns an exception into a reply; its entries are tree, view, modal and dynamic item."""

import logging
from collections.abc import Coroutine, Mapping
from typing import Any

import discord
from discord import app_commands

from bot.domain.errors import DeskError, ProviderError, ShuttingDown
from bot.domain.pages import Audience
from bot.observability.logs import reference
from bot.ui.errors import error_embed
from bot.ui.interactions import Interaction, actor_of, desk_client_of, desk_of

_log = logging.getLogger(__name__)

_REFUSALS = (
    DeskError,
    # A user who is not on the server, and commands that Discord shows as they were before an update.
    app_commands.TransformerError,
    app_commands.CommandSignatureMismatch,
    app_commands.CommandNotFound,
)


async def guarded(interaction: Interaction, work: Coroutine[Any, Any, None]) -> None:
    """Await ``work``; whatever it raises becomes a reply. For dynamic items, whose errors discord.py only logs."""
    client = desk_client_of(interaction)
    client.in_flight.enter(interaction)
    try:
        if client.is_stopping:
            raise ShuttingDown  # noqa: TRY301 -- so that it takes the same way as every other refusal
        await work
    except Exception as error:  # noqa: BLE001 -- the funnel is where everything ends
        work.close()
        await report(interaction, error)


async def report(interaction: Interaction, error: Exception) -> None:
    """Answer the interaction with what went wrong, so that it is always finished, and log it by its reference."""
    cause = error
    while isinstance(cause, app_commands.CommandInvokeError | app_commands.TransformerError) and cause.__cause__:
        if not isinstance(cause.__cause__, Exception):
            break
        cause = cause.__cause__
    reference_word = reference()
    write_down(interaction, cause, reference_word)
    embed = error_embed(
        cause,
        audience=await _audience(interaction),
        explanations=desk_of(interaction).explanations,
        reference=reference_word,
    )
    try:
        await reply(interaction, embed)
    except discord.HTTPException as failed:
        _log.warning("reply failed reference=%s status=%s code=%s", reference_word, failed.status, failed.code)


async def reply(interaction: Interaction, embed: discord.Embed, *, view: discord.ui.View | None = None) -> None:
    """Finish the interaction with an ephemeral embed, whatever was answered before.

    A deferred command has its "thinking…" replaced; a message that a button belongs to is left alone.
    """
    shown = discord.utils.MISSING if view is None else view
    if not interaction.response.is_done():
        await interaction.response.send_message(embed=embed, view=shown, ephemeral=True)
    elif interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
        await interaction.edit_original_response(embed=embed, view=view)
    else:
        await interaction.followup.send(embed=embed, view=shown, ephemeral=True)


async def _audience(interaction: Interaction) -> Audience:
    """Return how much the caller may be told; a customer's share where that cannot be found out."""
    try:
        return await desk_of(interaction).pages.audience_of(actor_of(interaction))
    except Exception:  # noqa: BLE001 -- the error being reported may be the very reason
        return Audience.CUSTOMER


def write_down(interaction: Interaction, error: Exception, reference_word: str) -> None:
    """Log a failure with the facts to find it by, also one that is part of an answer and never gets here."""
    facts = (
        f"reference={reference_word} command={_command_of(interaction)} "
        f"guild={interaction.guild_id} user={interaction.user.id}"
    )
    if isinstance(error, ProviderError):
        failure = error.failure
        _log.warning(
            "provider failed %s provider=%s kind=%s code=%s key=%s http=%s request=%s place=%s",
            facts,
            failure.provider.value,
            failure.kind.value,
            failure.code,
            failure.key,
            failure.http_status,
            failure.request_id,
            failure.place,
        )
    elif isinstance(error, _REFUSALS):
        _log.info("refused %s reason=%s", facts, type(error).__name__)
    else:
        _log.error("unexpected failure %s", facts, exc_info=error)


def _command_of(interaction: Interaction) -> str:
    if interaction.command is not None:
        return interaction.command.qualified_name
    data: Mapping[str, Any] = interaction.data or {}
    return str(data.get("custom_id", interaction.type.name))
