"""The one funnel that turns an exception into a reply; its entries are tree, view, modal and dynamic item."""

import logging
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import discord
from discord import app_commands

from bot.domain.errors import Interrupted, NotInGuild, ProviderError, ShuttingDown, SkinDeskError, Unfinished
from bot.domain.snapshots import Audience
from bot.observability.logs import reference
from bot.observability.tracing import Outcome
from bot.ui.errors import error_embed
from bot.ui.interaction.acknowledgement import acknowledgement_of
from bot.ui.interaction.discord_errors import (
    is_already_acknowledged,
    is_unknown_interaction,
    is_unknown_message,
    may_have_got_there,
    may_pass,
)
from bot.ui.interaction.interactions import (
    Interaction,
    PendingReply,
    actor_of,
    client_of,
    finished,
    is_finished,
    is_thinking,
    is_unconfirmed,
    keep_pending_reply,
    services_of,
    unconfirmed,
)

_log = logging.getLogger(__name__)

_REFUSALS = (
    SkinDeskError,
    # A user who is not on the server, and commands that Discord shows as they were before an update.
    app_commands.TransformerError,
    app_commands.CommandSignatureMismatch,
    app_commands.CommandNotFound,
)


class _Dismissed(discord.DiscordException):
    """The reader has put away the message that an answer was to take the place of."""


async def guarded(interaction: Interaction, work: Coroutine[Any, Any, None]) -> None:
    """Await ``work``; whatever it raises becomes a reply. For dynamic items, whose errors discord.py only logs."""
    client = client_of(interaction)
    client.in_flight.enter(interaction)
    try:
        if client.is_stopping:
            raise ShuttingDown  # noqa: TRY301 -- so that it takes the same way as every other refusal
        if interaction.guild_id is None:
            raise NotInGuild  # noqa: TRY301 -- as above
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
    if isinstance(cause, _Dismissed):
        _nobody_looks(interaction)
        return
    reference_word = reference()
    write_down(interaction, cause, reference_word)
    if is_unknown_interaction(cause):  # nobody sees an answer any more
        finished(interaction)
        _log.warning("reply failed reference=%s status=%s code=%s", reference_word, cause.status, cause.code)
        return
    if _is_deferral_in_doubt(interaction, cause):
        unconfirmed(interaction, thinking=True)
    embed = error_embed(
        cause,
        audience=await _audience(interaction),
        explanations=services_of(interaction).explanations,
        reference=reference_word,
    )
    try:
        await reply(interaction, embed)
    except _Dismissed:
        _nobody_looks(interaction)
    except Exception as failed:  # noqa: BLE001 -- nothing comes after the funnel, and the log has the error already
        finished(interaction)  # nobody can finish it any more
        _log.warning(
            "reply failed reference=%s error=%s status=%s code=%s",
            reference_word,
            type(failed).__name__,
            getattr(failed, "status", None),
            getattr(failed, "code", None),
        )


async def reply(
    interaction: Interaction,
    embed: discord.Embed,
    *,
    view: discord.ui.View | None = None,
    file: discord.File | None = None,
) -> None:
    """Finish the interaction with an ephemeral embed, whatever was answered before.

    A deferred command has its "thinking…" replaced; a message that a button belongs to is left alone. Where Discord
    cannot be reached or is in trouble itself while "thinking…" is shown, or may be, the answer is kept and given again
    by the watch; discord.HTTPException where Discord refuses it for good.
    """
    pending_reply = PendingReply(embed, view, file)
    try:
        await _send(interaction, pending_reply)
    except Exception as error:
        if not is_thinking(interaction) or not may_pass(error):
            raise
        keep_pending_reply(interaction, pending_reply)
        _log.warning("reply put off error=%s status=%s", type(error).__name__, getattr(error, "status", None))


async def interrupt(interaction: Interaction) -> None:
    """Finish an interaction that a stop of SkinDesk cut off."""
    await report(interaction, Interrupted())


async def give_up(interaction: Interaction) -> None:
    """Finish an interaction whose work took too long, or ended without an answer."""
    await report(interaction, Unfinished())


async def reply_again(interaction: Interaction, pending_reply: PendingReply) -> None:
    """Give an answer that Discord did not take before. It is put off again where that fails again."""
    try:
        await _send(interaction, pending_reply)
    except _Dismissed:
        _nobody_looks(interaction)
    except Exception as error:  # noqa: BLE001 -- there will be another time, until the token's end
        _log.info("reply put off again error=%s", type(error).__name__)
        if not may_pass(error):
            finished(interaction)  # nobody can finish it any more


async def show(interaction: Interaction, embed: discord.Embed, view: discord.ui.View | None) -> None:
    """Put an embed in the place of the one whose control was used."""
    _let_go(view)
    if not await _is_answered(interaction):
        try:
            await interaction.response.edit_message(embed=embed, view=view)
        except Exception as error:
            if may_have_got_there(error):
                unconfirmed(interaction, thinking=False)
            if not await _is_acknowledged_after(error, interaction):
                raise
        else:
            return
    with _unless_dismissed():
        await interaction.edit_original_response(embed=embed, view=view)


async def _send(interaction: Interaction, answer: PendingReply) -> None:
    embed, view, file = answer.embed, answer.view, answer.file
    shown = discord.utils.MISSING if view is None else view
    attached = discord.utils.MISSING if file is None else file
    files = discord.utils.MISSING if file is None else [file]
    _let_go(view)
    if file is not None:
        file.reset()  # it may have been read for an attempt before
    is_there = False
    if not await _is_answered(interaction):
        was_unconfirmed = is_unconfirmed(interaction)
        try:
            await interaction.response.send_message(embed=embed, view=shown, file=attached, ephemeral=True)
        except Exception as error:
            if not await _is_acknowledged_after(error, interaction):
                raise
            if file is not None:
                file.reset()
            # Where nothing else can have been the first answer it was this one, and only its confirmation got lost.
            is_there = is_already_acknowledged(error) and not was_unconfirmed
        else:
            return
    if not is_finished(interaction) and (is_there or _has_own_original(interaction)):
        with _unless_dismissed():
            await interaction.edit_original_response(embed=embed, view=view, attachments=files)
    else:
        # Where Discord shows "thinking…" without having confirmed that, it lets this take its place.
        await interaction.followup.send(embed=embed, view=shown, file=attached, ephemeral=True)
    finished(interaction)


@contextmanager
def _unless_dismissed() -> Iterator[None]:
    """Tell the edit of a message that its reader has put away from what Discord refuses."""
    try:
        yield
    except discord.NotFound as error:
        if is_unknown_message(error):
            raise _Dismissed from error
        raise


def _nobody_looks(interaction: Interaction) -> None:
    """Leave it at that: who dismissed the message asked for nothing more, and nothing went wrong."""
    finished(interaction)
    _log.info(
        "answer dismissed command=%s guild=%s user=%s",
        _command_of(interaction),
        interaction.guild_id,
        interaction.user.id,
    )


def _has_own_original(interaction: Interaction) -> bool:
    """Say whether the interaction's original message is "thinking…", and surely no page whose control was used."""
    if interaction.response.type is None:
        return interaction.type is discord.InteractionType.application_command
    return is_thinking(interaction)


def _is_deferral_in_doubt(interaction: Interaction, error: Exception) -> bool:
    """Say whether work that defers before anything else may have ended at that, while Discord shows "thinking…"."""
    if interaction.response.is_done() or acknowledgement_of(interaction) is not None:
        return False
    if isinstance(error, Interrupted | Unfinished):
        return True
    return not isinstance(error, _REFUSALS) and may_have_got_there(error)


async def _is_answered(interaction: Interaction) -> bool:
    """Say whether Discord has had a first answer, once none is on its way any more."""
    acknowledgement = acknowledgement_of(interaction)
    if acknowledgement is not None:
        await acknowledgement.settled()
    return interaction.response.is_done()


async def _is_acknowledged_after(error: Exception, interaction: Interaction) -> bool:
    """Say whether the answer that Discord did not take as the first one can be given as a later one."""
    if is_already_acknowledged(error):
        return True
    acknowledgement = acknowledgement_of(interaction)
    if acknowledgement is None or not may_pass(error):
        return False
    try:
        await acknowledgement.defer()
    except Exception as refused:  # noqa: BLE001 -- what is raised is why the answer was not taken
        return is_already_acknowledged(refused)
    return True


def _let_go(view: discord.ui.View | None) -> None:
    """Keep discord.py from keeping a view: whatever SkinDesk shows is found by its custom id alone."""
    if view is not None:
        view.stop()


async def _audience(interaction: Interaction) -> Audience:
    """Return how much the caller may be told; a customer's share where that cannot be found out."""
    try:
        return await services_of(interaction).snapshots.audience_of(actor_of(interaction))
    except Exception:  # noqa: BLE001 -- the error being reported may be the very reason
        return Audience.CUSTOMER


def write_down(interaction: Interaction, error: Exception, reference_word: str) -> None:
    """Log a failure with the facts to find it by, also one that is part of an answer and never gets here.

    What SkinDesk refuses is no failure: the line of the interaction says enough.
    """
    facts = (
        f"reference={reference_word} command={_command_of(interaction)} "
        f"guild={interaction.guild_id} user={interaction.user.id}"
    )
    ending = Outcome.FAILED
    if isinstance(error, ProviderError):
        ending = Outcome.PROVIDER_FAILED
        failure = error.failure
        _log.warning(
            "provider failed %s provider=%s kind=%s code=%s key=%s http=%s request=%s place=%s took=%s",
            facts,
            failure.provider.value,
            failure.kind.value,
            failure.code,
            failure.key,
            failure.http_status,
            failure.request_id,
            failure.place,
            None if failure.took is None else f"{failure.took.total_seconds():.1f}s",
        )
    elif isinstance(error, Interrupted | ShuttingDown | Unfinished):
        ending = Outcome.INTERRUPTED
    elif isinstance(error, _REFUSALS):
        ending = Outcome.REFUSED
    elif not isinstance(error, discord.HTTPException):
        _log.error("unexpected failure %s", facts, exc_info=error)
    else:  # Discord's trouble, not ours: a traceback would lead nobody anywhere
        _log.warning("refused by Discord %s status=%s code=%s", facts, error.status, error.code)
    trace = client_of(interaction).in_flight.trace_of(interaction)
    if trace is not None:
        trace.fail(ending, reason=type(error).__name__, reference=reference_word)
    elif ending is not Outcome.PROVIDER_FAILED:  # its line is written already: this is all that has the reference
        _log.warning("told afterwards %s reason=%s", facts, type(error).__name__)


def _command_of(interaction: Interaction) -> str:
    if interaction.command is not None:
        return interaction.command.qualified_name
    data: Mapping[str, Any] = interaction.data or {}
    return str(data.get("custom_id", interaction.type.name))
