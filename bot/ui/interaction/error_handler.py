"""The one error handler: every exception of a command, component or modal becomes a reply and a line in the log."""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Self

import discord
from discord import app_commands

from bot.domain.access import STAFF_CAPABILITIES
from bot.domain.errors import (
    DatabaseUnavailable,
    DiscordUnavailable,
    GuildNotSeen,
    Interrupted,
    PageExpired,
    ProviderError,
    ShuttingDown,
    SkinDeskError,
    Unfinished,
)
from bot.domain.references import without_texts
from bot.domain.snapshots import Audience
from bot.languages import ENGLISH, in_language, t, use
from bot.observability.logs import reference
from bot.observability.redaction import redact
from bot.observability.tracing import Outcome
from bot.ports import Explanations
from bot.services.keyed_tasks import call_within
from bot.ui.errors import error_embed
from bot.ui.interaction.discord_errors import UNKNOWN_INTERACTION, AnsweredElsewhere, code_of, is_trouble_of_discord
from bot.ui.interaction.rights import requires
from bot.ui.interaction.server_language import server_language
from bot.ui.interaction.session import Interaction, InteractionSession, session_of
from bot.ui.ready_answers import ready_answer

_log = logging.getLogger(__name__)

_AUDIENCE_WITHIN = 0.5
"""Seconds in which the database may say who reads an error: what reports it may have little time left."""

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
    use(session.language)  # another task may finish an interaction than the one that began it
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
    audience, explanations = await _audience(session), session.services.explanations
    embed = error_embed(_shown(cause), audience=audience, explanations=explanations, reference=error_reference)
    try:
        await session.reply(embed, view=_view_under(session, cause, audience))
    except Exception as failed:  # noqa: BLE001 -- the log has the first error already
        session.close()
        _log.warning(
            "reply failed reference=%s error=%s status=%s code=%s",
            error_reference,
            type(failed).__name__,
            getattr(failed, "status", None),
            getattr(failed, "code", None),
        )
    remember(session, cause, error_reference, audience=audience, shown=embed)


def _shown(error: Exception) -> Exception:
    """Return the error whose message the user is shown."""
    return DiscordUnavailable() if is_trouble_of_discord(error) else error


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
    elif isinstance(error, DatabaseUnavailable):  # a traceback would say nothing about the disk
        _log.warning("database unavailable %s fault=%s", facts, error.fault.value)
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


def remember(
    session: InteractionSession,
    error: Exception,
    error_reference: str,
    *,
    audience: Audience,
    shown: discord.Embed | None = None,
) -> None:
    """Keep the facts behind the reference of an error for the staff; a failure is logged.

    ``shown`` is the page that the user got, if it is at hand: it need not be made again for its title in English.
    """
    try:
        _remember(session, error, error_reference, audience, shown)
    except Exception:  # noqa: BLE001 -- the user is shown the error all the same
        _log.exception("facts not kept reference=%s", error_reference)


def _remember(
    session: InteractionSession, error: Exception, error_reference: str, audience: Audience, shown: discord.Embed | None
) -> None:
    services, trace = session.services, session.trace
    if trace.guild_id is None or not session.is_served:  # nothing is stored about another server
        return
    failure = None
    if isinstance(error, ProviderError):
        failure = without_texts(error.failure, services.explanations.explain(error.failure))
        failure = replace(
            failure,
            key=_redacted(failure.key),
            request_id=_redacted(failure.request_id),
            place=_redacted(failure.place),
        )
    english = shown if session.language is ENGLISH else None
    if english is None:
        with in_language(ENGLISH):
            explanations = services.explanations
            english = error_embed(
                _shown(error), audience=audience, explanations=explanations, reference=error_reference
            )
    services.references.remember(
        error_reference,
        guild_id=trace.guild_id,
        user_id=trace.user_id,
        command=trace.command,
        error=type(error).__name__,
        title=english.title or "",
        failure=failure,
    )


def _redacted(text: str | None) -> str | None:
    return text and redact(text)


async def _audience(session: InteractionSession) -> Audience:
    if not session.is_served:  # nothing is read there
        return Audience.CUSTOMER
    try:
        return await call_within(_AUDIENCE_WITHIN, session.services.snapshots.audience_of(session.actor))
    except Exception:  # noqa: BLE001 -- the same error may be the one to report; customers are shown the least
        return Audience.CUSTOMER


_CONTROLS: dict[type[Exception], Callable[[InteractionSession], discord.ui.View | None]] = {}


def register_controls(error: type[Exception], controls: Callable[[InteractionSession], discord.ui.View | None]) -> None:
    """Set what stands under the message of an exception of exactly this type."""
    _CONTROLS[error] = controls


def _view_under(session: InteractionSession, error: Exception, audience: Audience) -> discord.ui.View | None:
    if (controls := _CONTROLS.get(type(error))) is not None:
        return controls(session)
    if not isinstance(error, ProviderError):
        return None
    explanations = session.services.explanations
    return copy_view(explanations.explain(error.failure).id, explanations, audience)


def copy_view(entry_id: str, explanations: Explanations, audience: Audience) -> discord.ui.View | None:
    """Return *Copy for the customer* under an explanation: for staff, and an entry of the catalogue."""
    if audience is not Audience.STAFF or explanations.entry(entry_id) is None:
        return None
    view = discord.ui.View(timeout=None)
    view.add_item(CopyButton(entry_id))
    return view


@requires(*STAFF_CAPABILITIES)
class CopyButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"copy:(?P<entry>[0-9a-f]{16})"):
    """Answers with the customer's version of the catalogue's entry in its custom id, in the server's language.

    The customer's own is not known.
    """

    def __init__(self, entry_id: str) -> None:
        super().__init__(
            discord.ui.Button(label=t("Copy for the customer"), emoji="📋", custom_id=f"copy:{entry_id}", row=4)
        )
        self._entry_id = entry_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls(match["entry"])

    async def callback(self, interaction: Interaction) -> None:
        """Show the text."""
        await handle(interaction, self._show_text)

    async def _show_text(self, session: InteractionSession) -> None:
        session.defer_if_slow()
        await session.services.access.require(*STAFF_CAPABILITIES, of=session.actor)
        with in_language(await server_language(session.interaction.client, session.actor.guild_id)):
            entry = session.services.explanations.entry(self._entry_id)
            if entry is None:  # of an earlier version's catalogue
                raise PageExpired
            text = ready_answer(entry)
        await session.reply_text(text)
