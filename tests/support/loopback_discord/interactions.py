"""Discord's rules for answering interactions: in time, once, and by whoever holds the token."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.loopback_discord.guilds import Channel, Guild, Member
from tests.support.loopback_discord.messages import Message, MessageFlag, MessageKind
from tests.support.loopback_discord.records import Answer, InteractionRecord, Kind
from tests.support.loopback_discord.wire import Json, Refusal, Refused, Request, invalid
from tests.support.loopback_discord.world import World

ACKNOWLEDGE_WITHIN = 3.0
"""Seconds after its dispatch in which Discord takes an interaction's first answer."""
TOKEN_LIVES = 15 * 60.0
"""Seconds after its dispatch in which Discord takes edits and follow-ups."""

_ATTACHMENT_LIMIT = 10 * 1024 * 1024

_ANSWERS = {
    Kind.COMMAND: {Answer.MESSAGE, Answer.DEFERRED_MESSAGE, Answer.MODAL},
    Kind.COMPONENT: set(Answer) - {Answer.CHOICES},
    Kind.AUTOCOMPLETE: {Answer.CHOICES},
    Kind.MODAL: set(Answer) - {Answer.CHOICES, Answer.MODAL},
}


class Interactions:
    """All interactions so far, and Discord's rules for answering them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_token: dict[str, InteractionRecord] = {}

    @property
    def records(self) -> list[InteractionRecord]:
        """Every interaction, in the order of dispatch."""
        return list(self._by_token.values())

    def begin(
        self, kind: Kind, name: str, data: Json, *, member: Member, channel: Channel, source: Message | None = None
    ) -> tuple[InteractionRecord, Json]:
        """Return a new record and the event that tells the bot of it. The three seconds begin now."""
        record = InteractionRecord(kind, name, member, channel, source)
        record.token = f"loopback-{record.id}"
        self._by_token[record.token] = record
        event = self._event(record, member.guild, data)
        record.dispatched_at = time.monotonic()
        return record, event

    def acknowledge(self, interaction_id: str, token: str, request: Request) -> Json:
        """Take the first answer and return what ``with_response`` shows of it."""
        record = self._by_token.get(token)
        if record is None or str(record.id) != interaction_id:
            raise Refused(Refusal.UNKNOWN_INTERACTION)
        with _noted(record):
            if record.callback is not None:
                raise Refused(Refusal.ALREADY_ACKNOWLEDGED)
            if time.monotonic() - record.dispatched_at > ACKNOWLEDGE_WITHIN:
                raise Refused(Refusal.UNKNOWN_INTERACTION)
            answer = _answer_in(request, record)
            self._answer(record, answer, request.fields.get("data") or {}, request)
        record.acknowledge(request.fields)
        return self._callback_response(record, answer)

    def follow_up(self, application_id: str, token: str, request: Request) -> Message:
        """Send a further message; the first one after a deferral takes the place of "thinking…"."""
        record = self.live(application_id, token)
        waiting = record.message if record.message is not None and record.message.is_loading else None
        if waiting is not None:
            self._fill(record, waiting, request)
            message = waiting
        else:
            flags = int(request.fields.get("flags") or 0)
            message = self._new_message(record, flags)
            with _noted(record):
                message.apply(request, created=True)
            self._world.keep(message, record.channel)
        record.followups.append(message)
        record.finish()
        return message

    def edit(self, application_id: str, token: str, message_id: str, request: Request) -> Message:
        """Edit the answer (``@original``) or a follow-up."""
        record = self.live(application_id, token)
        message = self.message(record, message_id)
        self._fill(record, message, request)
        record.edits.append(request.fields)
        record.finish()
        return message

    def delete(self, application_id: str, token: str, message_id: str) -> None:
        """Delete the answer or a follow-up."""
        record = self.live(application_id, token)
        self.message(record, message_id).is_deleted = True
        record.finish()

    def live(self, application_id: str, token: str) -> InteractionRecord:
        """Return the interaction whose token may be used now, by Discord's rules."""
        record = self._by_token.get(token)
        if record is None or application_id != str(self._world.application_id):
            raise Refused(Refusal.UNKNOWN_WEBHOOK)
        with _noted(record):
            if record.callback is None:
                raise Refused(Refusal.UNKNOWN_WEBHOOK)
            if time.monotonic() - record.dispatched_at > TOKEN_LIVES:
                raise Refused(Refusal.EXPIRED_TOKEN)
        return record

    def message(self, record: InteractionRecord, message_id: str) -> Message:
        """Return one of the messages the interaction's token reaches."""
        if message_id == "@original":
            message = record.message
        else:
            reachable = (record.message, *record.followups)
            message = next((known for known in reachable if known is not None and str(known.id) == message_id), None)
        if message is None or message.is_deleted:
            record.refusals.append(Refusal.UNKNOWN_MESSAGE)
            raise Refused(Refusal.UNKNOWN_MESSAGE)
        return message

    def _fill(self, record: InteractionRecord, message: Message, request: Request) -> None:
        with _noted(record):
            message.apply(request)
        message.flags &= ~MessageFlag.LOADING

    def _answer(self, record: InteractionRecord, answer: Answer, data: Json, request: Request) -> None:
        if answer is Answer.UPDATE:
            assert record.source is not None
            record.source.take(data, request.files)
        if answer in (Answer.UPDATE, Answer.DEFERRED_UPDATE):
            record.message = record.source
        elif answer in (Answer.MESSAGE, Answer.DEFERRED_MESSAGE):
            message = self._new_message(record, int(data.get("flags") or 0))
            if answer is Answer.MESSAGE:
                message.take(data, request.files, created=True)
            else:
                message.flags |= MessageFlag.LOADING
            record.message = message
            self._world.keep(message, record.channel)

    def _new_message(self, record: InteractionRecord, flags: int) -> Message:
        return Message(
            author=self._world.bot,
            channel=record.channel,
            kind=MessageKind.COMMAND_ANSWER if record.kind is Kind.COMMAND else MessageKind.ORDINARY,
            flags=flags,
            seen_by=record.member.id if flags & MessageFlag.EPHEMERAL else None,
            interaction=_metadata(record),
        )

    def _callback_response(self, record: InteractionRecord, answer: Answer) -> Json:
        interaction: Json = {"id": str(record.id), "type": record.kind}
        response: Json = {"interaction": interaction}
        if record.message is not None:
            interaction["response_message_id"] = str(record.message.id)
            interaction["response_message_loading"] = record.message.is_loading
            interaction["response_message_ephemeral"] = record.message.is_ephemeral
            if answer in (Answer.MESSAGE, Answer.UPDATE):
                response["resource"] = {"type": answer, "message": record.message.payload()}
        return response

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
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": {"0": str(guild.id)},
            "context": 0,
            "attachment_size_limit": _ATTACHMENT_LIMIT,
            "data": data,
        }
        if record.source is not None:
            event["message"] = record.source.payload()
        return event


@contextmanager
def _noted(record: InteractionRecord) -> Iterator[None]:
    """Note on the record what is refused inside."""
    try:
        yield
    except Refused as refused:
        record.refusals.append(refused.refusal)
        raise


def _answer_in(request: Request, record: InteractionRecord) -> Answer:
    answer = request.fields.get("type")
    needs_source = answer in (Answer.UPDATE, Answer.DEFERRED_UPDATE)
    if answer not in _ANSWERS[record.kind] or (needs_source and record.source is None):
        raise invalid("type", "no answer to this kind of interaction")
    return Answer(answer)


def _metadata(record: InteractionRecord) -> Json:
    return {
        "id": str(record.id),
        "type": record.kind,
        "user": record.member.user.payload(),
        "authorizing_integration_owners": {"0": str(record.member.guild.id)},
    }
