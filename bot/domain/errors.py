"""Everything that can go wrong, named by what the reader can do about it; the sentences are in ``bot.ui.errors``.

SkinDeskError
├── InvalidInput
│   └── TradeUrlRejected
├── AccessDenied
├── NotInGuild
├── NotLinked
├── SteamAccountTaken
├── LinkTooNew
├── SignInOff
├── SignInRefused
├── SteamUnavailable
├── NotFound
│   ├── TradeNotFound          also for a trade that is not yours
│   ├── ResendNotFound
│   └── PageExpired
├── NotYourPage
├── QueryExpired
├── FormUnknown
├── ProviderOff
├── GameNotOffered
├── NotResendable
├── ResendAlreadyOpen
├── TooManyResends
├── ResendsPaused
├── PauseOutdated
├── AlreadyDecided
├── TradeChanged
├── CardOutdated
├── MayNotDecide
├── ApprovalsChannelMissing
├── ApprovalsChannelUnusable
├── TooSoon
│   └── PageTooFresh
├── ShuttingDown
├── Interrupted
├── Unfinished
└── ProviderError              carries a Failure
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.access import Capability
    from bot.domain.failures import Failure, ProviderName
    from bot.domain.pauses import ResendPause
    from bot.domain.resends import ApproverRefusal, Resend
    from bot.domain.snapshots import Snapshot
    from bot.domain.steam import Game, TradeUrlProblem
    from bot.domain.trades import NotResendableReason, Trade


class SkinDeskError(Exception):
    """A condition that SkinDesk expects and explains."""


class InvalidInput(SkinDeskError):
    """An option holds something that cannot be used. ``option`` is its name, ``problem`` a word for what is wrong."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}")
        self.option = option
        self.problem = problem


class TradeUrlRejected(InvalidInput):
    """What was pasted is no usable trade URL. The text itself is not kept: it may hold a token."""

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


class NotLinked(SkinDeskError):
    """The caller's own scope is empty: no Steam account is linked to them."""


class SteamAccountTaken(SkinDeskError):
    """The Steam account is linked to another user in this guild, who may have left it."""

    def __init__(self, user_id: int) -> None:
        super().__init__(str(user_id))
        self.user_id = user_id


class LinkTooNew(SkinDeskError):
    """The caller's Steam account was linked too lately for own resends; ``until`` is when they count."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class SignInOff(SkinDeskError):
    """Steam sign-in is not set up: staff has to link accounts."""


class SignInRefused(SkinDeskError):
    """What came back from a Steam sign-in cannot be believed; ``problem`` is a word for why."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class SteamUnavailable(SkinDeskError):
    """Steam did not answer whether it made an assertion."""


class NotFound(SkinDeskError):
    """There is no such thing, or the caller may not know of it."""


class TradeNotFound(NotFound):
    """No trade with this id that the caller may see."""

    def __init__(self, trade_id: str) -> None:
        super().__init__(trade_id)
        self.trade_id = trade_id


class ResendNotFound(NotFound):
    """No resend request with this id in this guild."""


class PageExpired(NotFound):
    """The pages behind a button are no longer kept."""


class NotYourPage(SkinDeskError):
    """A pager's button was pressed by somebody else than who asked."""


class QueryExpired(SkinDeskError):
    """The pages are from an earlier run, and what they answer is not kept: it holds a trade token."""


class FormUnknown(SkinDeskError):
    """A form was sent in that no part of SkinDesk knows: it was opened before an update."""


class ProviderOff(SkinDeskError):
    """The provider (or, where None, every provider that could do it) is not configured."""

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
    """There is an open request for this trade; ``resend`` is None where it belongs to another guild."""

    def __init__(self, trade_id: int, resend: Resend | None) -> None:
        super().__init__(str(trade_id))
        self.trade_id = trade_id
        self.resend = resend


class TooManyResends(SkinDeskError):
    """The caller has opened as many requests as they may; ``until`` is when they may open the next one."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class PauseOutdated(SkinDeskError):
    """Resends are stopped by another stop than the one that the caller was shown."""

    def __init__(self, pause: ResendPause) -> None:
        super().__init__(str(pause.guild_id))
        self.pause = pause


class ResendsPaused(SkinDeskError):
    """The guild's resends are stopped; ``halt`` says since when and why."""

    def __init__(self, pause: ResendPause) -> None:
        super().__init__(pause.at.isoformat())
        self.pause = pause


class AlreadyDecided(SkinDeskError):
    """Somebody else was faster, or the request ended by itself."""

    def __init__(self, resend: Resend) -> None:
        super().__init__(f"{resend.id} {resend.state.value}")
        self.resend = resend


class TradeChanged(SkinDeskError):
    """The trade is no longer as the card showed it; the card now shows the difference and is pending again."""

    def __init__(self, resend: Resend, differences: tuple[str, ...]) -> None:
        super().__init__(f"{resend.id} {','.join(differences)}")
        self.resend = resend
        self.differences = differences


class CardOutdated(SkinDeskError):
    """The card did not show the request as it is when it was approved. ``resend.is_shown`` says whether it does now."""

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


class TooSoon(SkinDeskError):
    """The same was asked for a moment ago; ``until`` is when it may be asked for again."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class PageTooFresh(TooSoon):
    """What a page shows was read a moment ago; ``snapshot`` is the newest one."""

    def __init__(self, until: datetime, snapshot: Snapshot) -> None:
        super().__init__(until)
        self.snapshot = snapshot


class ShuttingDown(SkinDeskError):
    """SkinDesk is stopping and takes nothing new."""


class Interrupted(SkinDeskError):
    """SkinDesk stopped while it was at work on this: it may have been done, in part or whole."""


class Unfinished(SkinDeskError):
    """The work on this took too long and was cut off, or ended without an answer: it may have been done."""


class ProviderError(SkinDeskError):
    """A provider's call failed; ``failure`` has the facts."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.provider.value} {failure.kind.value} {failure.code or ''}".strip())
        self.failure = failure
