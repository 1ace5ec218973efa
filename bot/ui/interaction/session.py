"""One interaction, from its arrival to its last answer."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol, TypeAlias, cast

import discord

from bot.domain.access import Actor
from bot.domain.errors import GuildNotSeen, GuildNotServed, NotInGuild, ShuttingDown, SkinDeskError
from bot.languages import has_versions, of_locale, use
from bot.observability.discord_http import Attempts, noted
from bot.observability.tracing import InteractionTrace, Observer, Outcome, current_trace
from bot.services.container import Services
from bot.ui.interaction.answers import UNCONFIRMED, PendingReply, State
from bot.ui.interaction.discord_errors import (
    ALREADY_ACKNOWLEDGED,
    UNKNOWN_MESSAGE,
    AnsweredElsewhere,
    code_of,
    may_be_delivered,
    may_pass,
)
from bot.ui.interaction.incoming import IncomingEvents
from bot.ui.interaction.names import name_of
from bot.ui.interaction.server_language import reader_language
from bot.worker import current_person

_log = logging.getLogger(__name__)

Interaction: TypeAlias = "discord.Interaction[discord.Client]"

QUICK_SECONDS = 0.03
"""A reply within this time is sent as the first answer; users do not notice the delay."""

_SESSION = "session"


class InteractionClient(Protocol):
    """The part of the Discord client that sessions need."""

    services: Services
    sessions: "Sessions"
    incoming: IncomingEvents
    is_stopping: bool


class InteractionSession:
    """Owns the answers to one interaction: acknowledgement, reply, retry and end. Get it by ``session_of``."""

    def __init__(self, interaction: Interaction) -> None:
        self._client = cast(InteractionClient, interaction.client)
        self.services = self._client.services
        self.interaction = interaction
        self.pending_reply: PendingReply | None = None
        self.has_ended = False
        self.language = of_locale(interaction.locale.value)
        self.trace = InteractionTrace(
            command=name_of(interaction),
            guild_id=interaction.guild_id,
            user_id=interaction.user.id,
            is_suggestion=interaction.type is discord.InteractionType.autocomplete,
        )
        self._state = State.NEW
        self._thinking = True
        self._may_be_anothers = False
        """Whether the answer that Discord shows may be another process's: then it is never edited."""
        self._timer: asyncio.TimerHandle | None = None
        self._deferral: asyncio.Task[None] | None = None

    @cached_property
    def actor(self) -> Actor:
        """The user with the roles that the interaction carries; NotInGuild outside a guild."""
        member, guild_id = self.interaction.user, self.interaction.guild_id
        if guild_id is None or not isinstance(member, discord.Member):
            raise NotInGuild
        return actor_from(member, guild_id)

    @property
    def guild(self) -> discord.Guild | None:
        """The server with its roles and channels; None if SkinDesk does not see it."""
        guild = self.interaction.guild  # made up by discord.py from the interaction if it is not seen
        if guild is None or guild.unavailable or guild.default_role is None:
            return None
        return guild

    @property
    def knows_all_roles(self) -> bool:
        """Whether a role that the server does not have, as far as is known, was deleted."""
        return self.guild is not None and self.guild.id not in self._client.incoming.incomplete

    def require_guild(self) -> discord.Guild:
        """Return the server with its roles and channels; GuildNotSeen if they are not known."""
        if self.guild is None:
            raise GuildNotSeen
        return self.guild

    async def refusal(self, *, in_direct_messages: bool = False) -> SkinDeskError | None:
        """Return why no work may start on this interaction, if so.

        ``in_direct_messages``: it may come from a direct message too, and concerns its user alone.
        """
        guild_id, guilds = self.interaction.guild_id, self.services.guilds
        if (unclaimed := self._client.incoming.unclaimed.pop(self.interaction.id, None)) is not None:
            await self.defer()  # AnsweredElsewhere if another process, which has the database, has answered
            return unclaimed
        if guild_id is None:  # the commands are registered for servers only, but SkinDesk does not rely on it
            if not in_direct_messages:
                return NotInGuild()
            return ShuttingDown() if self._client.is_stopping else None
        if not self._client.is_stopping:
            await guilds.claim(guild_id)
        if not self.is_served:
            return GuildNotServed()
        if has_versions(self.language):
            self.language = await reader_language(self.interaction.client, guild_id, self.interaction.locale)
            use(self.language)
        return ShuttingDown() if self._client.is_stopping else None

    @property
    def is_served(self) -> bool:
        """Whether this desk serves the interaction's server."""
        return self.interaction.guild_id is not None and self.services.guilds.serves(self.interaction.guild_id)

    @property
    def is_thinking(self) -> bool:
        """Whether Discord shows "thinking…", or may show it."""
        return self._state in (State.THINKING, State.MAYBE_THINKING)

    @property
    def is_left_open(self) -> bool:
        """Whether Discord shows "thinking…", or is about to."""
        return self.is_thinking or (self._deferral is not None and not self._deferral.done())

    async def defer(self, *, thinking: bool = True) -> None:
        """Show "thinking…" now. Call it before any work that changes data or uploads a file.

        Without ``thinking``, the message of a component stays as it is until the answer. AnsweredElsewhere if another
        process has the interaction: this one is to do nothing.
        """
        with self._first_answer(State.THINKING if thinking else State.ANSWERED):
            await self.interaction.response.defer(ephemeral=thinking, thinking=thinking)

    def defer_if_slow(self, *, thinking: bool = True) -> None:
        """Send the reply as the first answer if it is quick, or else defer. Only for work that changes nothing."""
        self._thinking = thinking
        self._timer = asyncio.get_running_loop().call_later(QUICK_SECONDS, self._start_deferral)

    async def reply(
        self, embed: discord.Embed, *, view: discord.ui.View | None = None, file: discord.File | None = None
    ) -> None:
        """Show an embed to the user alone: in the place of "thinking…", or else as a message of its own.

        If Discord cannot take the reply now and may show "thinking…", the watch sends it again later.
        Raises the error of discord.py if there is nothing to send again.
        """
        await self._reply(PendingReply(embed, view, file))

    async def reply_text(self, text: str) -> None:
        """Show a plain message to the user alone, as :meth:`reply` shows an embed."""
        await self._reply(PendingReply(None, text=text))

    async def _reply(self, reply: PendingReply) -> None:
        try:
            await self._send(reply)
        except Exception as error:
            if not self.is_thinking or not may_pass(error):
                raise
            # The first reply says what was done; a later one may only report that it was not delivered.
            self.pending_reply = self.pending_reply or reply
            _log.warning("reply pending error=%s status=%s", type(error).__name__, getattr(error, "status", None))

    async def retry(self, reply: PendingReply) -> None:
        """Send a pending reply again; if that fails, it stays pending."""
        try:
            await self._send(reply)
        except Exception as error:  # noqa: BLE001 -- the watch tries again until the token expires
            _log.info("reply still pending error=%s", type(error).__name__)
            if not may_pass(error):
                self.close()

    async def show(self, embed: discord.Embed, view: discord.ui.View | None) -> None:
        """Replace the message whose control was used."""
        if view is not None:
            view.stop()  # as in PendingReply.content
        await self._settle_deferral()
        if self._state is State.CLOSED:
            return
        if self._state in UNCONFIRMED:
            try:
                with self._first_answer(State.ANSWERED):
                    await self.interaction.response.edit_message(embed=embed, view=view)
            except AnsweredElsewhere:
                return
            except Exception as error:
                if not await self._is_acknowledged_after(error):
                    raise
            else:
                return
        await self._edit_original(embed=embed, view=view)

    async def open_modal(self, modal: discord.ui.Modal) -> None:
        """Open a form as the first answer."""
        with self._first_answer(State.ANSWERED):
            await self.interaction.response.send_modal(modal)

    def close(self) -> None:
        """Send nothing more: no answer would be shown."""
        self._state = State.CLOSED

    def end(self, *, interrupted: bool) -> None:
        """Note that the work has ended. If Discord has no answer yet, defer, so that the watch can send one."""
        self.has_ended = True
        self.trace.finished_after = self.trace.age
        if interrupted:
            self.trace.fail(Outcome.INTERRUPTED, reason="cancelled")
        if self._timer is not None and self._state is State.NEW:
            self._start_deferral()
        if self.trace.acknowledged_after is None and self.interaction.response.is_done():
            self.trace.acknowledged_after = self.trace.finished_after  # discord.py sends suggestions itself

    def _start_deferral(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._deferral is None and self._state is State.NEW:
            self._deferral = asyncio.create_task(self._defer_or_log())

    async def _defer_or_log(self) -> None:
        try:
            await self.defer(thinking=self._thinking)
        except Exception as error:  # noqa: BLE001 -- the reply meets the same error, which is handled there
            _log.info("deferral failed error=%s", type(error).__name__)

    async def _settle_deferral(self) -> None:
        """Cancel the planned deferral, or wait for the one already sent."""
        if self._timer is not None:
            self._timer.cancel()
        if self._deferral is not None:
            await asyncio.shield(self._deferral)

    async def _send(self, reply: PendingReply) -> None:
        await self._settle_deferral()
        if self._state is State.CLOSED:
            return
        was_new = self._state is State.NEW
        if self._state in UNCONFIRMED:
            try:
                with self._first_answer(State.ANSWERED):
                    await self.interaction.response.send_message(**reply.content(), ephemeral=True)
            except AnsweredElsewhere:
                return
            except Exception as error:
                if not await self._is_acknowledged_after(error):
                    raise
                if was_new and self._may_be_anothers and self._state is State.ANSWERED:
                    return  # this reply is there, or another process's: nothing else was sent
            else:
                return
        if self._state is State.THINKING and not self._may_be_anothers:
            content = reply.content()
            if "file" in content:
                content["attachments"] = [content.pop("file")]
            await self._edit_original(**content)
        else:
            # The original may be the page of a control, or a good answer that no error may replace. If it is
            # "thinking…", the first follow-up takes its place.
            await self.interaction.followup.send(**reply.content(), ephemeral=True)
            self._state = State.ANSWERED

    async def _edit_original(self, **content: Any) -> None:
        try:
            await self.interaction.edit_original_response(**content)
        except discord.NotFound as error:
            if error.code != UNKNOWN_MESSAGE:
                raise
            self.close()  # the user dismissed the message: nothing to do, and not an error
            trace = self.trace
            _log.info("answer dismissed command=%s guild=%s user=%s", trace.command, trace.guild_id, trace.user_id)
        else:
            self._state = State.ANSWERED

    async def _is_acknowledged_after(self, error: Exception) -> bool:
        """Return whether a reply that Discord did not take as the first answer can follow a first answer."""
        if code_of(error) == ALREADY_ACKNOWLEDGED:
            return True
        if not may_pass(error):
            return False
        try:
            await self.defer(thinking=self._thinking)
        except Exception as refused:  # noqa: BLE001 -- the caller raises the first error
            return code_of(refused) == ALREADY_ACKNOWLEDGED
        return True

    @contextmanager
    def _first_answer(self, shown: State) -> Iterator[None]:
        """Note whether Discord confirms the first answer that is sent inside; AnsweredElsewhere if it has another's.

        If discord.py sent it again, and Discord has it already, that is a confirmation: no error.
        """
        attempts = Attempts()
        try:
            with noted(attempts):
                yield
        except (Exception, asyncio.CancelledError) as error:
            if code_of(error) == ALREADY_ACKNOWLEDGED:
                self._may_be_anothers = True
                if self._state is State.NEW:
                    if attempts.may_have_arrived:
                        self._confirm(shown)
                        return
                    _log.info("answered by another process command=%s user=%s", self.trace.command, self.trace.user_id)
                    self.close()
                    raise AnsweredElsewhere from None
                if self._state is State.MAYBE_ANSWERED and not attempts.may_have_arrived:
                    self._confirm(State.ANSWERED)
            if self._state in UNCONFIRMED and may_be_delivered(error):
                if shown is State.THINKING:
                    self._state = State.MAYBE_THINKING  # also after another answer that may not have arrived
                elif self._state is State.NEW:
                    self._state = State.MAYBE_ANSWERED
            raise
        self._confirm(shown)

    def _confirm(self, shown: State) -> None:
        self._state = shown
        if self.trace.acknowledged_after is None:
            self.trace.acknowledged_after = self.trace.age


class Sessions:
    """The running sessions, and the ended ones for which Discord may still show "thinking…"."""

    def __init__(
        self, observers: Sequence[Observer] = (), *, on_finished: Callable[[int], None] = lambda _: None
    ) -> None:
        self.running: dict[asyncio.Task[Any], InteractionSession] = {}
        self.left_open: set[InteractionSession] = set()
        self._observers = tuple(observers)
        self._on_finished = on_finished
        """Called with the number of each interaction that Discord does not show as open any more."""

    def start(self, interaction: Interaction) -> InteractionSession:
        """Start a session that ends with the current task."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("an interaction is handled in a task")
        session = self.running[task] = InteractionSession(interaction)
        current_trace.set(session.trace)
        current_person.set(interaction.user.id)
        use(session.language)
        task.add_done_callback(self._on_done)
        return session

    def finish(self, session: InteractionSession) -> None:
        """Note that a session has its last answer, or can have none."""
        self.left_open.discard(session)
        self._on_finished(session.interaction.id)

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        session = self.running.pop(task)
        session.end(interrupted=task.cancelled())
        if session.is_left_open:
            self.left_open.add(session)
        else:
            self.finish(session)
        for observe in self._observers:
            observe(session.trace)


def session_of(interaction: Interaction) -> InteractionSession:
    """Return the session of an interaction; the first call starts it in the current task."""
    session: InteractionSession | None = interaction.extras.get(_SESSION)
    if session is None:
        sessions = cast(InteractionClient, interaction.client).sessions
        session = interaction.extras[_SESSION] = sessions.start(interaction)
    return session


def actor_from(member: discord.Member, guild_id: int) -> Actor:
    """Return a member as an actor, with the roles and permissions that the interaction carries of them.

    Neither depends on whether SkinDesk sees the server: ``member.roles`` would leave out every role it has not seen.
    """
    permissions = member.resolved_permissions or member.guild_permissions
    return Actor(
        guild_id=guild_id,
        user_id=member.id,
        # A guild's @everyone role has the id of the guild and is not in the payload.
        role_ids=frozenset({guild_id, *member._roles}),  # noqa: SLF001 -- the ids as they came
        administers=member.guild.owner_id == member.id or permissions.administrator,
    )
