"""What Discord shows of an interaction, and a reply that is still to be shown."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import discord


class State(Enum):
    """The last answer that Discord shows, as far as it is known.

    NEW             → THINKING or ANSWERED once Discord confirms the first answer
                    → MAYBE_THINKING or MAYBE_ANSWERED if the confirmation of the first answer is lost
    MAYBE_THINKING  → THINKING or ANSWERED once Discord confirms any answer
    MAYBE_ANSWERED  → ANSWERED once Discord confirms any answer
                    → MAYBE_THINKING if the confirmation of a deferral after it is lost
    THINKING        → ANSWERED once the reply has replaced "thinking…"
    every state     → CLOSED if no answer can be shown: the user dismissed the message, Discord refuses for good, or
                      another process has answered
    """

    NEW = auto()
    MAYBE_THINKING = auto()
    MAYBE_ANSWERED = auto()
    THINKING = auto()
    ANSWERED = auto()
    CLOSED = auto()


UNCONFIRMED = frozenset({State.NEW, State.MAYBE_THINKING, State.MAYBE_ANSWERED})


@dataclass(frozen=True, slots=True)
class PendingReply:
    """A reply to send, or to send again."""

    embed: discord.Embed | None
    view: discord.ui.View | None = None
    file: discord.File | None = None
    text: str | None = None
    """A plain message in place of an embed: a phone can copy it."""

    def content(self) -> dict[str, Any]:
        """Return the arguments for an attempt to send it."""
        content: dict[str, Any] = {"content": self.text} if self.embed is None else {"embed": self.embed}
        if self.view is not None:
            self.view.stop()  # discord.py need not store it: components are found by custom id
            content["view"] = self.view
        if self.file is not None:
            self.file.reset()  # an earlier attempt may have read it
            content["file"] = self.file
        return content
