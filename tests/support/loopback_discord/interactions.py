"""Discord's rules for answering interactions: in time, once, and only with the interaction's token."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.support.loopback_discord.guilds import Channel, Guild, Member
from tests.support.loopback_discord.messages import COMMAND_ANSWER, ORDINARY, Message, MessageFlag
from tests.support.loopback_discord.records import Answer, InteractionRecord, Kind
from tests.support.loopback_discord.wire import Json, Refusal, Refused, Request
from tests.support.loopback_discord.world import World
from tests.support.turns import Turns

ACKNOWLEDGE_WITHIN = 3.0
"""Seconds after its dispatch in which Discord takes an interaction's first answer.

A machine that is busy with others gives no process these seconds: only those count in which the bots had their turn.
"""
TOKEN_LIVES = 15 * 60.0
"""Seconds after its dispatch in which Discord takes edits and follow-ups."""

_ANSWERS = {
    Kind.COMMAND: {Answer.MESSAGE, Answer.DEFERRED_MESSAGE, Answer.MODAL},
    Kind.COMPONENT: set(Answer) - {Answer.CHOICES},
    Kind.AUTOCOMPLETE: {Answer.CHOICES},
    Kind.MODAL: set(Answer) - {Answer.CHOICES, Answer.MODAL},
}


class Interactions:
    """All interactions so far, and Discord's rules for answering them. ``clocks`` are those of the bots."""

    def __init__(self, world: World, clocks: Sequence[Turns]) -> None:
        self._world = world
        self._clocks = clocks
        self._by_token: dict[str, InteractionRecord] = {}

    @property
    def records(self) -> list[InteractionRecord]:
        """Every interaction, in the order of dispatch."""
        return list(self._by_token.values())

    def begin(
        self, kind: Kind, name: str, data: Json, *, member: Member, channel: Channel, source: Message | None = None
    ) -> tuple[InteractionRecord, Json]:
        """Return a new record and its gateway event. The three seconds begin now."""
        record = InteractionRecord(kind, name, member, channel, source)
        record.token = f"loopback-{record.id}"
        self._by_token[record.token] = record
        event = self._event(record, member.guild, data)
        record.dispatched_at = time.monotonic()
        record.turns = {clock: clock.seconds for clock in self._clocks if not clock.has_ended}
        return record, event

    def acknowledge(self, interaction_id: str, token: str, request: Request) -> Json:
        """Take the first answer and return Discord's reply to ``with_response``."""
        record = self._by_token.get(token)
        if record is None or str(record.id) != interaction_id:
            raise Refused(Refusal.UNKNOWN_INTERACTION)
        with _noted(record):
            if record.callback is not None:
                raise Refused(Refusal.ALREADY_ACKNOWLEDGED)
            if record.age > ACKNOWLEDGE_WITHIN:
                raise Refused(Refusal.UNKNOWN_INTERACTION)
            answer = _answer_in(request, record)
            self._take(record, answer, request.fields.get("data") or {})
        record.acknowledge(request.fields)
        return _callback_response(record, answer)

    def follow_up(self, token: str, request: Request) -> Message:
        """Send a further message; the first one after a deferral replaces "thinking…"."""
        record = self._live(token)
        if record.message is not None and record.message.is_loading:
            return self.edit(token, request)
        message = self._new_message(record, int(request.fields.get("flags") or 0))
        with _noted(record):
            message.update(request.fields, created=True)
        self._world.keep(message)
        record.followups.append(message)
        record.finish()
        return message

    def edit(self, token: str, request: Request) -> Message:
        """Edit the answer."""
        record = self._live(token)
        with _noted(record):
            if record.message is None:
                raise Refused(Refusal.UNKNOWN_MESSAGE)
            record.message.update(request.fields)
        record.message.flags &= ~MessageFlag.LOADING
        record.finish()
        return record.message

    def _live(self, token: str) -> InteractionRecord:
        """Return the interaction if its token can be used now."""
        record = self._by_token.get(token)
        if record is None:
            raise Refused(Refusal.UNKNOWN_WEBHOOK)
        with _noted(record):
            if record.callback is None:
                raise Refused(Refusal.UNKNOWN_WEBHOOK)
            if time.monotonic() - record.dispatched_at > TOKEN_LIVES:
                raise Refused(Refusal.EXPIRED_TOKEN)
        return record

    def _take(self, record: InteractionRecord, answer: Answer, data: Json) -> None:
        if answer in (Answer.UPDATE, Answer.DEFERRED_UPDATE):
            assert record.source is not None
            if answer is Answer.UPDATE:
                record.source.update(data)
            record.message = record.source
        elif answer in (Answer.MESSAGE, Answer.DEFERRED_MESSAGE):
            message = self._new_message(record, int(data.get("flags") or 0))
            if answer is Answer.MESSAGE:
                message.update(data, created=True)
            else:
                message.flags |= MessageFlag.LOADING
            record.message = message
            self._world.keep(message)

    def _new_message(self, record: InteractionRecord, flags: int) -> Message:
        return Message(
            author=self._world.bot,
            channel=record.channel,
            kind=COMMAND_ANSWER if record.kind is Kind.COMMAND else ORDINARY,
            flags=flags,
            seen_by=record.member.id if flags & MessageFlag.EPHEMERAL else None,
            interaction={
                "id": str(record.id),
                "type": record.kind,
                "user": record.member.user.payload(),
                "authorizing_integration_owners": {"0": str(record.member.guild.id)},
            },
        )

    def _event(self, record: InteractionRecord, guild: Guild, data: Json) -> Json:
        bits = str(guild.permissions(record.member, record.channel))
        event: Json = {
            "id": str(record.id),
            "application_id": str(self._world.application_id),
            "type": record.kind,
            "token": record.token,
            "version": 1,
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
            "channel_id": str(record.channel.id),
            "channel": record.channel.payload() | {"permissions": bits},
            "member": record.member.payload() | {"user": record.member.user.payload(), "permissions": bits},
            "app_permissions": str(guild.permissions(guild.bot, record.channel)),
            "locale": "en-US",
            "guild_locale": "en-US",
            "authorizing_integration_owners": {"0": str(guild.id)},
            "context": 0,
            "attachment_size_limit": 10 * 1024 * 1024,
            "data": data,
        }
        return event if record.source is None else event | {"message": record.source.payload()}


@contextmanager
def _noted(record: InteractionRecord) -> Iterator[None]:
    """Note a refusal on the record."""
    try:
        yield
    except Refused as refused:
        record.refusals.append(refused.refusal)
        raise


def _answer_in(request: Request, record: InteractionRecord) -> Answer:
    answer = request.fields.get("type")
    is_update = answer in (Answer.UPDATE, Answer.DEFERRED_UPDATE)
    if answer not in _ANSWERS[record.kind] or (is_update and record.source is None):
        raise Refused(Refusal.INVALID_BODY)
    return Answer(answer)


def _callback_response(record: InteractionRecord, answer: Answer) -> Json:
    interaction: Json = {"id": str(record.id), "type": record.kind}
    response: Json = {"interaction": interaction}
    if record.message is not None:
        interaction["response_message_id"] = str(record.message.id)
        interaction["response_message_loading"] = record.message.is_loading
        interaction["response_message_ephemeral"] = record.message.is_ephemeral
        if answer in (Answer.MESSAGE, Answer.UPDATE):
            response["resource"] = {"type": answer, "message": record.message.payload()}
    return response
