"""The one error handler: every exception of a command, component or modal becomes a reply and a line in the log."""

import logging
from collections.abc import Awaitable, Callable

import discord
from discord import app_commands

from bot.domain.errors import (
    DiscordUnavailable,
    GuildNotSeen,
    Interrupted,
    ProviderError,
    ShuttingDown,
    SkinDeskError,
    Unfinished,
)
from bot.domain.snapshots import Audience
from bot.observability.logs import reference
from bot.observability.tracing import Outcome
from bot.ui.errors import error_embed
from bot.ui.interaction.discord_errors import UNKNOWN_INTERACTION, AnsweredElsewhere, code_of, is_trouble_of_discord
from bot.ui.interaction.session import Interaction, InteractionSession, session_of

_log = logging.getLogger(__name__)

_REFUSALS = (
    SkinDeskError,
    # A user who is not on the server, and commands that Discord shows as they were before an update.
    app_commands.TransformerError,
    app_commands.CommandSignatureMismatch,
    app_commands.CommandNotFound,
)


async def handle(
    interaction: Interaction,
    work: Callable[[InteractionSession], Awaitable[None]],
    *,
    in_direct_messages: bool = False,
) -> None:
    """Run the work of a component or modal and report its errors; discord.py would only log them."""
    session = session_of(interaction)
    try:
        refusal = await session.refusal(in_direct_messages=in_direct_messages)
        if refusal is not None:
            raise refusal  # noqa: TRY301 -- reported like every other refusal
        await work(session)
    except Exception as error:  # noqa: BLE001 -- every error ends here
        await report(session, error)


async def report(session: InteractionSession, error: Exception) -> None:
    """Log an error and reply with its explanation, so that every interaction is finished."""
    cause = error
    while isinstance(cause, app_commands.CommandInvokeError | app_commands.TransformerError) and isinstance(
        cause.__cause__, Exception
    ):
        cause = cause.__cause__
    if isinstance(cause, app_commands.TransformerError) and session.guild is None:
        cause = GuildNotSeen()  # a channel is looked up among those of the server
    if isinstance(cause, AnsweredElsewhere):
        session.trace.fail(Outcome.REFUSED, reason=type(cause).__name__)
        session.close()
        return
    error_reference = reference()
    log_failure(session, cause, error_reference)
    if code_of(cause) == UNKNOWN_INTERACTION:
        session.close()
        return
    embed = error_embed(
        DiscordUnavailable() if is_trouble_of_discord(cause) else cause,
        audience=await _audience(session),
        explanations=session.services.explanations,
        reference=error_reference,
    )
    try:
        await session.reply(embed)
    except Exception as failed:  # noqa: BLE001 -- the log has the first error already
        session.close()
        _log.warning(
            "reply failed reference=%s error=%s status=%s code=%s",
            error_reference,
            type(failed).__name__,
            getattr(failed, "status", None),
            getattr(failed, "code", None),
        )


def log_failure(session: InteractionSession, error: Exception, error_reference: str) -> None:
    """Log an error under the reference that the user sees. A refusal is only noted in the trace."""
    trace = session.trace
    facts = f"reference={error_reference} command={trace.command} guild={trace.guild_id} user={trace.user_id}"
    outcome = Outcome.FAILED
    if isinstance(error, ProviderError):
        outcome = Outcome.PROVIDER_FAILED
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
    elif isinstance(error, DiscordUnavailable) or is_trouble_of_discord(error):  # a traceback would add nothing
        status, code = getattr(error, "status", None), code_of(error)
        _log.warning("Discord in trouble %s error=%s status=%s code=%s", facts, type(error).__name__, status, code)
    elif isinstance(error, Interrupted | ShuttingDown | Unfinished):
        outcome = Outcome.INTERRUPTED
    elif isinstance(error, _REFUSALS):
        outcome = Outcome.REFUSED
    elif isinstance(error, discord.HTTPException):  # a traceback would say nothing about it
        _log.warning("refused by Discord %s status=%s code=%s", facts, error.status, error.code)
    else:
        _log.error("unexpected failure %s", facts, exc_info=error)
    if not session.has_ended:
        trace.fail(outcome, reason=type(error).__name__, reference=error_reference)
    elif outcome is not Outcome.PROVIDER_FAILED:  # the trace is logged already, and no other line has the reference
        _log.warning("reported after the end %s reason=%s", facts, type(error).__name__)


async def _audience(session: InteractionSession) -> Audience:
    if not session.is_served:  # nothing is read there
        return Audience.CUSTOMER
    try:
        return await session.services.snapshots.audience_of(session.actor)
    except Exception:  # noqa: BLE001 -- the same error may be the one to report; customers are shown the least
        return Audience.CUSTOMER
