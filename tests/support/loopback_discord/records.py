"""One interaction of the loopback Discord: when it was dispatched, how the bot answered, and waiting for that."""

import asyncio
import time
from dataclasses import dataclass, field
from enum import IntEnum

from tests.support.loopback_discord.guilds import Channel, Member
from tests.support.loopback_discord.messages import Message
from tests.support.loopback_discord.wire import Json, Refusal, new_id
from tests.support.turns import Turns


class Kind(IntEnum):
    """Discord's interaction types, without the ping."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Answer(IntEnum):
    """Discord's types of a first answer."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


@dataclass(slots=True, eq=False)
class InteractionRecord:
    """One interaction and everything the bot did with it. Times are monotonic seconds.

    ``message`` is the answer, or the message that a component changed.
    """

    kind: Kind
    name: str
    """The command with its sub-commands, or the custom id."""
    member: Member
    channel: Channel
    source: Message | None = None
    """The message whose component was used."""
    id: int = field(default_factory=new_id)
    token: str = field(default="", repr=False)
    dispatched_at: float = field(default=0.0, repr=False)
    turns: dict[Turns, float] = field(default_factory=dict, repr=False)
    """The clocks of the bots that lived at the dispatch, and what they showed."""
    acknowledged_at: float | None = field(default=None, repr=False)
    finished_at: float | None = field(default=None, repr=False)
    finished_after: float | None = field(default=None, repr=False)
    """Its age when it was finished."""
    callback: Json | None = field(default=None, repr=False)
    """The body of the first answer."""
    message: Message | None = field(default=None, repr=False)
    followups: list[Message] = field(default_factory=list, repr=False)
    refusals: list[Refusal] = field(default_factory=list)
    """Everything Discord refused of it, in order."""
    _finished: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def answer(self) -> Answer | None:
        """The type of the first answer."""
        return None if self.callback is None else Answer(self.callback["type"])

    @property
    def is_finished(self) -> bool:
        """Whether the user has more than "thinking…": a deferral needs an edit, a deletion or a follow-up."""
        return self.finished_at is not None

    @property
    def acknowledged_after(self) -> float:
        """Seconds from dispatch to the first answer; LookupError if there is none."""
        if self.acknowledged_at is None:
            raise LookupError(self)
        return self.acknowledged_at - self.dispatched_at

    @property
    def age(self) -> float:
        """The seconds since the dispatch in which everyone had their turn who has to do with the answer."""
        ages = [clock.seconds - began for clock, began in self.turns.items() if not clock.has_ended]
        return min([time.monotonic() - self.dispatched_at, *ages])

    @property
    def waited_for_turns(self) -> float:
        """The seconds from dispatch to answer in which someone had no turn; LookupError if it is not finished."""
        if self.finished_at is None or self.finished_after is None:
            raise LookupError(self)
        return self.finished_at - self.dispatched_at - self.finished_after

    @property
    def choices(self) -> list[Json]:
        """The choices of an autocompletion."""
        choices: list[Json] = self._data(Answer.CHOICES)["choices"]
        return choices

    @property
    def modal(self) -> Json:
        """The modal that was opened: custom_id, title, components."""
        return self._data(Answer.MODAL)

    async def finished(self, within: float = 30.0) -> "InteractionRecord":
        """Wait until the user can read an answer; TimeoutError after ``within`` seconds."""
        try:
            async with asyncio.timeout(within):
                await self._finished.wait()
        except TimeoutError:
            raise TimeoutError(self, self.answer) from None
        return self

    def acknowledge(self, body: Json) -> None:
        self.acknowledged_at = time.monotonic()
        self.callback = body
        if self.answer not in (Answer.DEFERRED_MESSAGE, Answer.DEFERRED_UPDATE):
            self.finish()

    def finish(self) -> None:
        if self.finished_at is None:
            self.finished_at, self.finished_after = time.monotonic(), self.age
            self._finished.set()

    def _data(self, answer: Answer) -> Json:
        if self.callback is None or self.answer is not answer:
            raise LookupError(self, self.answer)
        data: Json = self.callback["data"]
        return data
