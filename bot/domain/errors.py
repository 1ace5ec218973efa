"""The conditions that SkinDesk expects, named by what the reader can do; their texts are in ``bot.ui``.

SkinDeskError
├── InvalidInput
│   └── TradeUrlRejected
├── AccessDenied
├── NotInGuild
├── GuildNotServed
├── GuildNotSeen
├── NotLinked
├── SteamAccountTaken
├── SignInOff
├── SignInRefused
├── SteamUnavailable
├── NotFound
│   ├── TradeNotFound          also for a trade that is not yours
│   ├── TradeNotWatchable      likewise
│   ├── ResendNotPossible      says nothing of a trade that the caller may not see
│   ├── ResendNotFound
│   └── PageExpired
├── NotYourPage
├── QueryExpired
├── FormUnknown
├── ControlUnknown
├── DirectMessagesClosed
├── TradeHasEnded
├── ProviderOff
├── GameNotOffered
├── NotResendable
├── ResendAlreadyOpen
├── ResendsPaused
├── PauseOutdated
├── AlreadyDecided
├── TradeChanged
├── CardOutdated
├── CardReplaced
├── MayNotDecide
├── ApprovalsChannelMissing
├── ApprovalsChannelUnusable
├── TooSoon                    possible later
│   ├── LinkTooNew
│   ├── TooOften
│   └── TooManyResends
├── DatabaseUnavailable
│   └── OutcomeNotStored       a provider's answer to a resend
├── DiscordUnavailable
├── Overloaded
├── ShuttingDown
├── Interrupted
├── Unfinished
└── ProviderError              carries a Failure
"""

from __future__ import annotations

from datetime import datetime

from bot.domain.access import Capability
from bot.domain.failures import CALLERS_OWN, Failure, ProviderName
from bot.domain.health import DatabaseFault
from bot.domain.resends import ApproverRefusal, Resend, ResendPause
from bot.domain.steam import Game, TradeUrlProblem
from bot.domain.trades import KeyLimit, NotResendableReason, Trade


class SkinDeskError(Exception):
    """A condition that SkinDesk expects and explains."""


class InvalidInput(SkinDeskError):
    """The value of ``option`` cannot be used; ``problem`` is a keyword for the reason."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}")
        self.option = option
        self.problem = problem


class TradeUrlRejected(InvalidInput):
    """The pasted text is no usable trade URL. It is not kept, because it may contain a token."""

    has_to_be_own = False
    """Whether the caller may use no one else's."""

    def __init__(self, problem: TradeUrlProblem) -> None:
        super().__init__("tradeurl", problem.value)
        self.trade_url_problem = problem


class AccessDenied(SkinDeskError):
    """The caller lacks ``capability``."""

    def __init__(self, capability: Capability) -> None:
        super().__init__(capability.value)
        self.capability = capability


class NotInGuild(SkinDeskError):
    """The interaction comes from outside a guild."""


class GuildNotServed(SkinDeskError):
    """This desk serves another server: here nothing is read, changed or stored."""


class GuildNotSeen(SkinDeskError):
    """Discord has not told SkinDesk about this server's roles and channels, so what depends on them is not known."""


class NotLinked(SkinDeskError):
    """No Steam account is linked to the caller."""


class SteamAccountTaken(SkinDeskError):
    """The Steam account is linked to another user of this guild, who may have left it."""

    def __init__(self, user_id: int) -> None:
        super().__init__(str(user_id))
        self.user_id = user_id


class TooSoon(SkinDeskError):
    """It becomes possible at ``until``."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class LinkTooNew(TooSoon):
    """The caller's Steam account was linked too recently for own resends."""


class TooOften(TooSoon):
    """The caller did this several times just now."""


class SignInOff(SkinDeskError):
    """Steam sign-in is not set up: staff must link accounts."""


class SignInRefused(SkinDeskError):
    """The response of a Steam sign-in is not valid; ``problem`` is a keyword for the reason."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class SteamUnavailable(SkinDeskError):
    """Steam could not be asked whether an assertion is genuine."""


class NotFound(SkinDeskError):
    """It does not exist, or the caller may not know about it."""


class TradeNotFound(NotFound):
    """No trade with this id that the caller may see.

    ``limit`` says that it cannot be told, ``left_out`` counts listed trades that could not be read.
    """

    def __init__(self, trade_id: str, limit: KeyLimit | None = None, left_out: int = 0) -> None:
        super().__init__(trade_id)
        self.trade_id = trade_id
        self.limit = limit
        self.left_out = left_out


class TradeNotWatchable(NotFound):
    """No trade with this number that the caller may see, or that could be read again."""

    def __init__(self, provider: ProviderName, trade_id: str) -> None:
        super().__init__(trade_id)
        self.provider = provider
        self.trade_id = trade_id


class ResendNotPossible(NotFound):
    """No resend of this trade can be asked for; the caller may ask for every trade, but not see this one."""

    def __init__(self, trade_id: str) -> None:
        super().__init__(trade_id)
        self.trade_id = trade_id


class ResendNotFound(NotFound):
    """No resend request with this id in this guild."""


class NoteNotFound(NotFound):
    """No note with this id that the caller may remove."""


class TooManyNotes(SkinDeskError):
    """The customer has as many notes as are kept."""


class PageExpired(NotFound):
    """The snapshot behind a button is no longer stored."""


class NotYourPage(SkinDeskError):
    """A pager's button was pressed by another user than its owner."""


class QueryExpired(SkinDeskError):
    """The snapshot is from an earlier run, and its query is not stored, because it contains a trade token."""


class FormUnknown(SkinDeskError):
    """A form was submitted that SkinDesk does not know: it was opened before an update."""


class ControlUnknown(SkinDeskError):
    """A button or a menu was used that SkinDesk does not know, or that does not offer what was selected."""


class DirectMessagesClosed(SkinDeskError):
    """Discord lets SkinDesk send the caller no direct message, so nothing is watched."""


class TradeHasEnded(SkinDeskError):
    """The trade does not change any more, so it is not watched."""

    def __init__(self, trade: Trade) -> None:
        super().__init__(trade.id)
        self.trade = trade


class ProviderOff(SkinDeskError):
    """The provider is not configured; None: no provider that could do it."""

    def __init__(self, provider: ProviderName | None) -> None:
        super().__init__(provider.value if provider else "none")
        self.provider = provider


class GameNotOffered(SkinDeskError):
    """The provider does not have the game."""

    def __init__(self, provider: ProviderName, game: Game) -> None:
        super().__init__(f"{provider.value} {game.word}")
        self.provider = provider
        self.game = game


class NotResendable(SkinDeskError):
    """The trade does not meet a condition of a resend."""

    def __init__(self, trade: Trade, reason: NotResendableReason) -> None:
        super().__init__(f"{trade.id} {reason.value}")
        self.trade = trade
        self.reason = reason


class ResendAlreadyOpen(SkinDeskError):
    """There is an open request for this trade; ``resend`` is None if it belongs to another guild."""

    def __init__(self, trade_id: int, resend: Resend | None) -> None:
        super().__init__(str(trade_id))
        self.trade_id = trade_id
        self.resend = resend


class TooManyResends(TooSoon):
    """The caller has reached the limit of requests."""


class PauseOutdated(SkinDeskError):
    """Resends are paused by another pause than the one that the caller was shown."""

    def __init__(self, pause: ResendPause) -> None:
        super().__init__(str(pause.guild_id))
        self.pause = pause


class ResendsPaused(SkinDeskError):
    """The guild's resends are paused; ``pause`` has the time and the reason."""

    def __init__(self, pause: ResendPause) -> None:
        super().__init__(pause.at.isoformat())
        self.pause = pause


class AlreadyDecided(SkinDeskError):
    """Another user was faster, or the request ended by itself."""

    def __init__(self, resend: Resend) -> None:
        super().__init__(f"{resend.id} {resend.state.value}")
        self.resend = resend


class TradeChanged(SkinDeskError):
    """The trade differs from the card, which now shows the difference and is pending again."""

    def __init__(self, resend: Resend, differences: tuple[str, ...]) -> None:
        super().__init__(f"{resend.id} {','.join(differences)}")
        self.resend = resend
        self.differences = differences


class CardOutdated(SkinDeskError):
    """The card was outdated when it was approved. ``resend.is_shown`` is whether it is up to date now."""

    def __init__(self, resend: Resend) -> None:
        super().__init__(str(resend.id))
        self.resend = resend


class CardReplaced(SkinDeskError):
    """The message that was pressed is not the request's card. ``resend`` has the card, if there is one."""

    def __init__(self, resend: Resend) -> None:
        super().__init__(str(resend.id))
        self.resend = resend


class MayNotDecide(SkinDeskError):
    """The caller may approve resends, but not this one."""

    def __init__(self, reason: ApproverRefusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class ApprovalsChannelMissing(SkinDeskError):
    """No approvals channel is set in this guild."""


class ApprovalsChannelUnusable(SkinDeskError):
    """The approvals channel is gone, or SkinDesk may not post there."""


class DatabaseUnavailable(SkinDeskError):
    """The database has a fault. Nothing was changed, unless ``may_be_done``."""

    def __init__(self, fault: DatabaseFault, *, may_be_done: bool = False) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.may_be_done = may_be_done


class OutcomeNotStored(DatabaseUnavailable):
    """The provider was asked for a resend, and its answer could not be stored: the request becomes unknown.

    ``was_sent`` is that answer, None if there was no clear one.
    """

    def __init__(self, fault: DatabaseFault, was_sent: bool | None) -> None:  # noqa: FBT001 -- as it is raised
        super().__init__(fault, may_be_done=True)
        self.was_sent = was_sent


class DiscordUnavailable(SkinDeskError):
    """Discord is overloaded or cannot be reached. What was sent to it may have arrived all the same."""


class Overloaded(SkinDeskError):
    """Long work of others kept this reading from being done in time. It changed nothing."""


class ShuttingDown(SkinDeskError):
    """SkinDesk is shutting down and accepts no new work."""


class Interrupted(SkinDeskError):
    """SkinDesk shut down during the work: it may have been done, in part or whole."""


class Unfinished(SkinDeskError):
    """The work took too long or ended without an answer: it may have been done."""


class ProviderError(SkinDeskError):
    """A provider's call failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.provider.value} {failure.kind.value} {failure.code or ''}".strip())
        self.failure = failure


def is_callers_own(error: BaseException) -> bool:
    """Return whether a call failed for its caller alone, so that another one who shares it has to try again."""
    return isinstance(error, ProviderError) and error.failure.kind in CALLERS_OWN
